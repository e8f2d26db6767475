"""Keys of synthesised progressions, over the whole recording and over time."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.harmony.camelot import key_of, key_to_camelot, key_to_open_key, key_to_short
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.harmony.key import KeyEstimate, estimate_key
from core.analysis.spectra import measure_spectra
from tests.progressions import RATE, play


def key_of_signal(mono: Any) -> KeyEstimate:
    return estimate_key(measure_chroma(measure_spectra([np.asarray(mono, dtype=np.float32)])))


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_every_key_is_found(tonic: Any, mode: Any) -> None:
    """A chroma that is off by a semitone, or a profile rotated wrongly, fails here."""
    estimate = key_of_signal(play(tonic, mode))
    key = key_of(tonic, mode)
    assert estimate.key == key
    assert estimate.camelot == key_to_camelot(key)
    assert estimate.open_key == key_to_open_key(key)
    assert estimate.key_short == key_to_short(key)


@pytest.mark.parametrize("cents", [-40, -25, 15, 35])
def test_a_detuned_recording_keeps_its_key_and_tells_its_tuning(cents: int) -> None:
    """Without tuning, what is 40 cents flat falls between two keys."""
    estimate = key_of_signal(play(9, "minor", tuning_cents=cents))
    assert estimate.key == "A minor"
    assert estimate.tuning_cents == pytest.approx(cents, abs=5)


def test_drums_over_the_harmony_do_not_change_the_key() -> None:
    """Noise bursts raise every pitch class; their mask and the whitening take them out."""
    mono = play(0, "major")
    time = np.arange(len(mono)) / RATE
    noise = np.random.default_rng(3).normal(size=len(mono)) * np.exp(-(time % 0.25) * 40)
    assert key_of_signal(mono + 0.15 * noise).key == "C major"


def test_notes_are_known_over_time() -> None:
    """A minor: its tones A, C and E are stronger than those between, until the music ends."""
    mono = play(9, "minor")
    estimate = key_of_signal(np.concatenate([mono, np.zeros(5 * RATE)]))
    assert estimate.chroma_hop_s == 1
    assert len(estimate.chroma) == -(-len(mono) // RATE) + 5
    totals = np.sum(estimate.chroma, axis=0)
    assert {0, 4, 9} <= {*np.argsort(-totals)[:5]}
    assert totals[[1, 3, 6, 10]].max() < totals[[0, 4, 9]].min() / 2
    assert max(map(max, estimate.chroma)) == 100
    assert not any(estimate.chroma[-2])


def test_a_change_of_key_is_found_where_it_is() -> None:
    """One key for a track that modulates mixes badly at its end."""
    mono = np.concatenate([*[play(9, "minor")] * 7, *[play(0, "minor")] * 7])
    first, second = key_of_signal(mono).segments
    assert (first.key, second.key) == ("A minor", "C minor")
    assert (first.camelot, second.camelot) == ("8A", "5A")
    assert first.start_s == 0
    assert first.end_s == second.start_s == pytest.approx(42, abs=6)
    assert second.end_s == pytest.approx(84, abs=0.1)


def test_one_key_throughout_is_one_segment() -> None:
    """Chords that pass must not count as changes of key."""
    segments = key_of_signal(np.tile(play(9, "minor"), 8)).segments
    assert [segment.key for segment in segments] == ["A minor"]


def test_alternatives_are_the_next_best_and_scores_are_probabilities() -> None:
    """The second-best key is what a DJ tries next."""
    estimate = key_of_signal(play(7, "major"))
    scores = [estimate.confidence, *(other.score for other in estimate.alternatives)]
    assert len(estimate.alternatives) == 3
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1
    assert estimate.key not in [other.key for other in estimate.alternatives]


@pytest.mark.parametrize("n_samples", [0, 1, 5, RATE])
def test_silence_has_no_key(n_samples: Any) -> None:
    """Some key always fits best, even nothing."""
    assert key_of_signal(np.zeros(n_samples)) == KeyEstimate()


@pytest.mark.parametrize("n_samples", [1, 2, 300, 5000])
def test_very_short_inputs_have_a_finite_result(n_samples: int) -> None:
    """Fewer samples than a frame, fewer frames than a window."""
    estimate = key_of_signal(play(0, "major")[1000 : 1000 + n_samples])
    assert 0 <= estimate.confidence <= 1
    assert -50 <= estimate.tuning_cents <= 50


def click() -> NDArray[Any]:
    signal = np.zeros(20 * RATE)
    signal[10 * RATE] = 1
    return signal


@pytest.mark.parametrize(
    "signal",
    [
        np.random.default_rng(0).normal(size=20 * RATE),
        np.sin(2 * np.pi * 440 * np.arange(20 * RATE) / RATE),
        click(),
    ],
    ids=["noise", "sine", "click"],
)
def test_what_has_no_harmony_gets_no_confident_key(signal: Any) -> None:
    """A made-up key with high confidence would send a set astray."""
    assert key_of_signal(signal).confidence < 0.25
    assert key_of_signal(np.tile(play(9, "minor"), 3)).confidence > 0.5


@pytest.mark.parametrize("seconds", [3, 5, 12, 30])
@pytest.mark.parametrize("slope", [0.0, -0.5, -1.0], ids=["white", "pink", "brown"])
def test_noise_has_no_sure_key_however_short(slope: float, seconds: int) -> None:
    """Three seconds of noise are less even than thirty and had F# minor with 0.4."""
    rng = np.random.default_rng(seconds)
    spectrum = np.fft.rfft(rng.normal(size=seconds * RATE))
    spectrum[1:] *= np.arange(1.0, len(spectrum)) ** slope
    noise = np.fft.irfft(spectrum)
    assert key_of_signal(0.5 * noise / np.abs(noise).max()).confidence < 0.2


@pytest.mark.parametrize("per_s", [1, 3, 10])
def test_clicks_have_no_key(per_s: int) -> None:
    """Some clicks a second, each of its own colour, and no pitch: F major, with 0.6."""
    rng = np.random.default_rng(per_s)
    ring = np.arange(RATE // 100) / RATE
    mono = np.zeros(30 * RATE)
    for start in rng.integers(0, len(mono) - len(ring), 30 * per_s):
        mono[start : start + len(ring)] += rng.normal(size=len(ring)) * np.exp(-1000 * ring)
    assert key_of_signal(mono).confidence < 0.05


@pytest.mark.parametrize("hz", [30, 45, 50, 55.5, 60, 80, 100, 220, 440])
def test_a_single_tone_has_no_sure_key_however_deep(hz: float) -> None:
    """Deep tones sound in three neighbouring semitones at this resolution: no chord."""
    tone = 0.5 * np.sin(2 * np.pi * hz * np.arange(20 * RATE) / RATE)
    assert key_of_signal(tone).confidence < 0.15


def test_a_triad_is_enough_for_a_key() -> None:
    """What takes single tones out must leave three of them in."""
    time_s = np.arange(20 * RATE) / RATE
    triad = sum(np.sin(2 * np.pi * hz * time_s) for hz in (220, 261.63, 329.63))
    assert key_of_signal(0.2 * triad).confidence > 0.4
