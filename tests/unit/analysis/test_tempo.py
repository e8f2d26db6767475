"""Tempo and beats of signals whose beats are known to the sample."""

import numpy as np
import pytest

from core.analysis.tempo import TempoEstimate, estimate_tempo

RATE = 22050


def clicks(times_s, duration_s, accents=None):
    mono = np.zeros(int(duration_s * RATE), dtype=np.float32)
    for number, time_s in enumerate(times_s):
        start = round(time_s * RATE)
        tick = np.arange(min(len(mono) - start, RATE // 20)) / RATE
        sound = 0.3 * np.sin(2000 * np.pi * tick) * np.exp(-200 * tick)
        if accents is not None and number % 4 == accents:
            sound += np.sin(2 * np.pi * 80 * tick) * np.exp(-60 * tick)
        mono[start : start + len(tick)] += sound
    return mono


def worst_error_s(times_s, found_s):
    return max(np.abs(np.array(found_s) - time_s).min() for time_s in times_s)


@pytest.mark.parametrize("tempo_bpm", [87.3, 120.0, 128.0, 140.5, 174.0])
@pytest.mark.parametrize("first_s", [0.0, 0.31])
def test_a_steady_tempo_is_exact_enough_for_a_beat_grid(tempo_bpm, first_s):
    """A tempo quantised by the hop drifts out of the beat within a minute."""
    times_s = np.arange(first_s, 19.9, 60 / tempo_bpm)
    estimate = estimate_tempo(clicks(times_s, 20.0), RATE)
    assert estimate.tempo_bpm == pytest.approx(tempo_bpm, abs=0.1)
    assert worst_error_s(times_s, estimate.beats_s) < 0.03
    assert len(estimate.beats_s) - len(times_s) in (0, 1)
    assert estimate.is_steady
    assert estimate.confidence > 0.5


@pytest.mark.parametrize("accent", [0, 1, 3])
def test_bars_begin_on_the_accent(accent):
    times_s = np.arange(0.2, 19.9, 60 / 125)
    estimate = estimate_tempo(clicks(times_s, 20.0, accent), RATE)
    assert worst_error_s(times_s[accent::4], estimate.downbeats_s) < 0.03
    assert set(estimate.downbeats_s) <= set(estimate.beats_s)


def test_a_drifting_tempo_is_followed_beat_by_beat():
    """An even grid laid over a live drummer is wrong nearly everywhere."""
    steps_s = 0.5 * (1 + 0.06 * np.sin(np.arange(58) / 8))
    times_s = 0.1 + np.cumsum(steps_s)
    estimate = estimate_tempo(clicks(times_s, 30.0), RATE)
    assert not estimate.is_steady
    assert estimate.tempo_bpm == pytest.approx(120, abs=4)
    assert worst_error_s(times_s[2:-2], estimate.beats_s) < 0.03


def test_the_tempo_is_folded_into_the_range_asked_for():
    mono = clicks(np.arange(0.1, 19.9, 60 / 174), 20.0)
    assert estimate_tempo(mono, RATE, tempo_range_bpm=(60, 125)).tempo_bpm == pytest.approx(
        87, abs=0.1
    )
    slow = clicks(np.arange(0.1, 19.9, 60 / 55), 20.0)
    assert estimate_tempo(slow, RATE).tempo_bpm == pytest.approx(110, abs=0.1)


def test_alternatives_offer_the_other_levels_best_first():
    estimate = estimate_tempo(clicks(np.arange(0.1, 19.9, 0.5), 20.0), RATE)
    assert sorted(c.tempo_bpm for c in estimate.alternatives) == pytest.approx(
        [60, 80, 180, 240], abs=0.1
    )
    scores = [candidate.score for candidate in estimate.alternatives]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_another_sample_rate_gives_the_same_tempo():
    times_s = np.arange(0.1, 14.9, 60 / 124)
    mono = np.repeat(clicks(times_s, 15.0), 2)
    assert estimate_tempo(mono, 2 * RATE).tempo_bpm == pytest.approx(124, abs=0.1)


@pytest.mark.parametrize(
    "mono",
    [
        np.zeros(0),
        np.zeros(1),
        np.ones(1),
        np.ones(2),
        np.zeros(5 * RATE),
        np.ones(5 * RATE),
        np.random.default_rng(1).normal(size=RATE // 4),
        np.sin(np.arange(10 * RATE) * 0.05),
        np.eye(1, 10 * RATE, 3 * RATE)[0],
    ],
    ids=["none", "zero", "one", "two", "silence", "dc", "short", "tone", "impulse"],
)
def test_what_has_no_beat_has_no_tempo(mono):
    assert estimate_tempo(mono.astype(np.float32), RATE) == TempoEstimate()


def test_noise_is_not_claimed_with_confidence():
    noise = np.random.default_rng(0).normal(size=20 * RATE).astype(np.float32)
    assert estimate_tempo(noise, RATE).confidence < 0.25


def test_beats_lie_inside_the_recording_and_the_input_is_left_alone():
    mono = clicks(np.arange(0.0, 9.9, 60 / 132), 10.0)
    before = mono.copy()
    beats_s = estimate_tempo(mono, RATE).beats_s
    np.testing.assert_array_equal(mono, before)
    assert all(0 <= beat_s < 10.0 for beat_s in beats_s)
    assert list(beats_s) == sorted(set(beats_s))


@pytest.mark.parametrize("tempo_range_bpm", [(0, 100), (120, 100)])
def test_an_impossible_range_is_refused(tempo_range_bpm):
    with pytest.raises(ValueError):
        estimate_tempo(np.zeros(RATE, dtype=np.float32), RATE, tempo_range_bpm=tempo_range_bpm)
