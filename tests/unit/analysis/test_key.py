"""Keys of synthesised progressions."""

import numpy as np
import pytest

from core.analysis.camelot import key_of, key_to_camelot, key_to_open_key, key_to_short
from core.analysis.key import KeyEstimate, estimate_key

RATE = 22050
# Roots above the tonic and whether the chord is minor: I V vi IV I, and i iv V i VI i.
PROGRESSIONS = {
    "major": [(0, False), (7, False), (9, True), (5, False), (0, False)],
    "minor": [(0, True), (5, True), (7, False), (0, True), (8, False), (0, True)],
}


def play(tonic, mode, *, rate=RATE, tuning_cents=0.0, chord_s=1.0):
    time = np.arange(int(chord_s * rate)) / rate
    envelope = np.minimum(1, 50 * time) * np.exp(-1.5 * time)
    sounds = []
    for root, is_minor in PROGRESSIONS[mode]:
        bass = 48 + (tonic + root) % 12
        sound = np.zeros(len(time))
        for pitch in (bass - 12, bass, bass + (3 if is_minor else 4), bass + 7):
            hz = 440 * 2 ** ((pitch - 69 + tuning_cents / 100) / 12)
            for harmonic in range(1, 6):
                sound += np.sin(2 * np.pi * hz * harmonic * time) / harmonic**1.5
        sounds.append(0.05 * sound * envelope)
    return np.concatenate(sounds).astype(np.float32)


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_every_key_is_found(tonic, mode):
    """A chroma that is off by a semitone, or a profile rotated wrongly, fails here."""
    estimate = estimate_key(play(tonic, mode), RATE)
    key = key_of(tonic, mode)
    assert estimate.key == key
    assert estimate.camelot == key_to_camelot(key)
    assert estimate.open_key == key_to_open_key(key)
    assert estimate.key_short == key_to_short(key)


@pytest.mark.parametrize("cents", [-40, -25, 15, 35])
def test_a_detuned_recording_keeps_its_key_and_tells_its_tuning(cents):
    estimate = estimate_key(play(9, "minor", tuning_cents=cents), RATE)
    assert estimate.key == "A minor"
    assert estimate.tuning_cents == pytest.approx(cents, abs=5)


def test_level_does_not_matter():
    mono = play(4, "minor")
    loud, quiet = estimate_key(mono, RATE), estimate_key(mono * 0.01, RATE)
    assert quiet.key == loud.key
    assert quiet.confidence == pytest.approx(loud.confidence, abs=0.01)


def test_drums_over_the_harmony_do_not_change_the_key():
    mono = play(0, "major")
    time = np.arange(len(mono)) / RATE
    noise = np.random.default_rng(3).normal(size=len(mono)) * np.exp(-(time % 0.25) * 40)
    assert estimate_key((mono + 0.15 * noise).astype(np.float32), RATE).key == "C major"


def test_another_sample_rate_gives_the_same_key():
    assert estimate_key(play(2, "minor", rate=44100), 44100).key == "D minor"


def test_alternatives_are_the_next_best_and_scores_are_probabilities():
    estimate = estimate_key(play(7, "major"), RATE)
    scores = [estimate.confidence, *(other.score for other in estimate.alternatives)]
    assert len(estimate.alternatives) == 3
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1
    assert estimate.key not in [other.key for other in estimate.alternatives]


@pytest.mark.parametrize("n_samples", [0, 1, 5, RATE])
def test_silence_has_no_key(n_samples):
    assert estimate_key(np.zeros(n_samples, dtype=np.float32), RATE) == KeyEstimate()


@pytest.mark.parametrize("n_samples", [1, 2, 300, 5000])
def test_very_short_inputs_have_a_finite_result(n_samples):
    estimate = estimate_key(play(0, "major")[1000 : 1000 + n_samples], RATE)
    assert 0 <= estimate.confidence <= 1
    assert -50 <= estimate.tuning_cents <= 50


def test_noise_is_claimed_with_less_confidence_than_music():
    noise = np.random.default_rng(0).normal(size=10 * RATE).astype(np.float32)
    assert (
        estimate_key(noise, RATE).confidence < 0.5 * estimate_key(play(9, "minor"), RATE).confidence
    )
