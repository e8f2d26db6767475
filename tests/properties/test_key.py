"""The key depends on the notes alone."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.harmony.camelot import key_of
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.harmony.key import KeyEstimate, estimate_key
from core.analysis.signal import to_mono
from core.analysis.spectra import measure_spectra
from core.audio.resample import resample
from tests.progressions import RATE, play

MODES = st.sampled_from(["major", "minor"])
TONICS = st.integers(0, 11)
FEW = settings(max_examples=12, deadline=None, derandomize=True)


def estimated(signal: Any) -> KeyEstimate:
    return estimate_key(measure_chroma(measure_spectra([np.asarray(signal, dtype=np.float32)])))


@FEW
@given(tonic=TONICS, mode=MODES, semitones=st.integers(-11, 11), cents=st.integers(-30, 30))
def test_transposing_moves_the_key_by_as_much(
    tonic: int, mode: Literal["major", "minor"], semitones: Any, cents: Any
) -> None:
    """A range of pitches that favours some keys, or a tuning that snaps, breaks this."""
    moved = play(tonic + semitones, mode, tuning_cents=cents)
    assert estimated(moved).key == key_of(tonic + semitones, mode)


@pytest.mark.slow
@FEW
@given(tonic=TONICS, mode=MODES, gain_db=st.floats(-40, 20), is_inverted=st.booleans())
def test_gain_and_polarity_change_nothing(
    tonic: int, mode: Literal["major", "minor"], gain_db: float, is_inverted: Any
) -> None:
    """Compression that knows no level hears a quiet copy otherwise."""
    signal = play(tonic, mode)
    gain = 10 ** (gain_db / 20) * (-1 if is_inverted else 1)
    one, other = estimated(signal), estimated(gain * signal)
    assert other.key == one.key
    assert other.confidence == pytest.approx(one.confidence, abs=0.01)
    assert other.tuning_cents == pytest.approx(one.tuning_cents, abs=0.1)


@pytest.mark.slow
@FEW
@given(tonic=TONICS, mode=MODES, silence_s=st.floats(0, 20), is_stereo=st.booleans())
def test_leading_silence_and_channels_change_nothing(
    tonic: int, mode: Literal["major", "minor"], silence_s: float, is_stereo: Any
) -> None:
    """Windows of silence must not vote."""
    signal = np.tile(play(tonic, mode), 3)
    padded = np.concatenate([np.zeros(int(silence_s * RATE)), signal]).astype(np.float32)
    channels = np.tile(padded, (2 if is_stereo else 1, 1))
    one, other = estimated(signal), estimated(to_mono(channels))
    assert other.key == one.key
    assert other.confidence == pytest.approx(one.confidence, abs=0.15)


@pytest.mark.slow
@FEW
@given(tonic=TONICS, mode=MODES, rate=st.sampled_from([44_100, 48_000, 96_000]))
def test_another_sample_rate_changes_nothing(
    tonic: int, mode: Literal["major", "minor"], rate: int
) -> None:
    """Resampling may not shift the pitch."""
    signal = play(tonic, mode)
    other = resample(resample(signal[None], RATE, rate), rate, RATE)[0]
    assert estimated(other).key == estimated(signal).key
    assert abs(estimated(other).tuning_cents - estimated(signal).tuning_cents) < 1


@FEW
@given(
    samples=st.lists(st.floats(-1, 1, width=32), max_size=40),
    n_repeats=st.integers(1, 3000),
)
def test_any_sound_has_a_defined_result(samples: Any, n_repeats: Any) -> None:
    """Not a number, or a confidence beyond 1, would reach the manifest."""
    estimate = estimated(np.tile(np.array(samples, dtype=np.float32), n_repeats))
    assert 0 <= estimate.confidence <= 1
    assert -50 <= estimate.tuning_cents <= 50
    assert (estimate.key is None) == (not estimate.segments)
    assert all(0 <= segment.confidence <= 1 for segment in estimate.segments)
    assert all(segment.end_s >= segment.start_s for segment in estimate.segments)
