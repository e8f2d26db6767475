"""What does not change the music does not change its tempo; what stretches it, stretches that."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli.demo_songs import DEMO_SONGS, SAMPLE_RATE, synthesise
from core.analysis.rhythm.tempo import TempoEstimate, estimate_tempo
from core.analysis.signal import to_mono
from core.analysis.spectra import ANALYSIS_RATE_HZ, measure_spectra
from core.audio.resample import resample

SONG = synthesise(DEMO_SONGS[0])


def analyse(samples: Any, sample_rate: int = SAMPLE_RATE) -> TempoEstimate:
    mono = to_mono(samples)[None].astype(np.float32)
    return estimate_tempo(measure_spectra([resample(mono, sample_rate, ANALYSIS_RATE_HZ)[0]]))


FOUND = analyse(SONG)


def assert_same(found: Any, shift_s: float = 0.0) -> None:
    assert found.tempo_bpm == pytest.approx(FOUND.tempo_bpm, abs=0.01)
    beat_s = 60 / FOUND.tempo_bpm
    # A beat up to 10 ms before the first sample is told as on it.
    on_grid_s = [found.grid[0].start_s, *found.beats_s[1:]]
    away = (np.array(on_grid_s) - FOUND.beats_s[0] - shift_s + beat_s / 2) % beat_s
    assert np.abs(away - beat_s / 2).max() < 0.002
    assert found.beats_s[1] - found.beats_s[0] == pytest.approx(beat_s, abs=0.011)


@settings(max_examples=6, deadline=None)
@given(gain_db=st.floats(-40, 20), polarity=st.sampled_from([-1, 1]))
def test_gain_and_polarity_change_nothing(gain_db: float, polarity: Any) -> None:
    """A threshold in absolute level gives a quiet master another grid than a loud one."""
    assert_same(analyse(SONG * np.float32(polarity * 10 ** (gain_db / 20))))


@settings(max_examples=6, deadline=None)
@given(silence_s=st.floats(0.05, 4.0))
@example(silence_s=1.4375)
def test_leading_silence_moves_the_grid_along(silence_s: float) -> None:
    """A grid laid from the first sample, not from the onsets, is late after silence."""
    n_silent = round(silence_s * SAMPLE_RATE)
    assert_same(analyse(np.pad(SONG, ((0, 0), (n_silent, 0)))), n_silent / SAMPLE_RATE)


def test_mono_and_stereo_of_the_same_have_the_same_grid() -> None:
    mono = to_mono(SONG)[None]
    assert_same(analyse(mono))
    assert_same(analyse(np.repeat(mono, 2, axis=0)))


@pytest.mark.parametrize("sample_rate", [22050, 48000])
def test_another_sample_rate_changes_nothing(sample_rate: int) -> None:
    """A hop in samples instead of seconds scales the tempo with the rate."""
    assert_same(analyse(resample(SONG, SAMPLE_RATE, sample_rate), sample_rate))


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(ratio=st.floats(0.93, 1.07))
def test_stretched_time_stretches_the_tempo(ratio: Any) -> None:
    """A tempo that sticks to usual values is wrong after a change of speed."""
    bars = round(40 * 60 / DEMO_SONGS[0].tempo_bpm * SAMPLE_RATE)
    found = analyse(np.tile(SONG[:, :bars], 3), round(SAMPLE_RATE * ratio))
    expected_bpm = DEMO_SONGS[0].tempo_bpm * round(SAMPLE_RATE * ratio) / SAMPLE_RATE
    # A whole tempo is taken where the minute drifts by 12.5 ms at most: 0.026 BPM.
    assert found.tempo_bpm == pytest.approx(expected_bpm, abs=0.035)
