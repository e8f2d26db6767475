"""Tempo and beats of signals whose beats are known to the sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.rhythm.grid import rate_hold
from core.analysis.rhythm.tempo import TempoEstimate, estimate_tempo
from core.analysis.spectra import measure_spectra

RATE = 22050


def clicks(
    times_s: Any, duration_s: float, accents: Any = None, beats_per_bar: int = 4
) -> NDArray[Any]:
    mono = np.zeros(int(duration_s * RATE), dtype=np.float32)
    for number, time_s in enumerate(times_s):
        start = round(time_s * RATE)
        tick = np.arange(min(len(mono) - start, RATE // 20)) / RATE
        sound = 0.3 * np.sin(2000 * np.pi * tick) * np.exp(-200 * tick)
        if accents is not None and number % beats_per_bar == accents:
            sound += np.sin(2 * np.pi * 80 * tick) * np.exp(-60 * tick)
        mono[start : start + len(tick)] += sound
    return mono


def estimate(mono: Any, **options: Any) -> TempoEstimate:
    return estimate_tempo(measure_spectra([mono.astype(np.float32)]), **options)


def worst_error_s(times_s: Any, found_s: Sequence[float]) -> Any:
    return max(np.abs(np.array(found_s) - time_s).min() for time_s in times_s)


@pytest.mark.slow
@pytest.mark.parametrize("tempo_bpm", [87.3, 120.0, 128.0, 140.5, 174.0])
@pytest.mark.parametrize("first_s", [0.0, 0.31])
def test_a_steady_tempo_is_exact_enough_for_a_beat_grid(tempo_bpm: float, first_s: float) -> None:
    """A tempo quantised by the hop drifts out of the beat within a minute."""
    times_s = np.arange(first_s, 19.9, 60 / tempo_bpm)
    found = estimate(clicks(times_s, 20.0))
    assert found.tempo_bpm == pytest.approx(tempo_bpm, abs=0.1)
    assert worst_error_s(times_s, found.beats_s) < 0.03
    assert len(found.beats_s) - len(times_s) in (0, 1)
    assert found.is_steady
    assert found.confidence > 0.5


@pytest.mark.parametrize("accent", [0, 1, 3])
def test_bars_begin_on_the_accent(accent: int) -> None:
    times_s = np.arange(0.2, 19.9, 60 / 125)
    found = estimate(clicks(times_s, 20.0, accent))
    assert worst_error_s(times_s[accent::4], found.downbeats_s) < 0.03
    assert set(found.downbeats_s) <= set(found.beats_s)


def test_a_drifting_tempo_is_followed_beat_by_beat() -> None:
    """An even grid laid over a live drummer is wrong nearly everywhere."""
    steps_s = 0.5 * (1 + 0.06 * np.sin(np.arange(58) / 8))
    times_s = 0.1 + np.cumsum(steps_s)
    found = estimate(clicks(times_s, 30.0))
    assert not found.is_steady
    assert found.tempo_bpm == pytest.approx(120, abs=4)
    assert worst_error_s(times_s[2:-2], found.beats_s) < 0.03


def test_the_tempo_is_folded_into_the_range_asked_for() -> None:
    mono = clicks(np.arange(0.1, 19.9, 60 / 174), 20.0)
    assert estimate(mono, tempo_range_bpm=(60, 125)).tempo_bpm == pytest.approx(87, abs=0.1)
    slow = clicks(np.arange(0.1, 19.9, 60 / 55), 20.0)
    assert estimate(slow).tempo_bpm == pytest.approx(110, abs=0.1)


def test_alternatives_offer_the_other_levels_best_first() -> None:
    found = estimate(clicks(np.arange(0.1, 19.9, 0.5), 20.0))
    assert sorted(c.tempo_bpm for c in found.alternatives) == pytest.approx(
        [60, 80, 180, 240], abs=0.1
    )
    scores = [candidate.score for candidate in found.alternatives]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


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
def test_what_has_no_beat_has_no_tempo(mono: Any) -> None:
    assert estimate(mono.astype(np.float32)) == TempoEstimate()


def test_noise_is_not_claimed_with_confidence() -> None:
    noise = np.random.default_rng(0).normal(size=20 * RATE).astype(np.float32)
    assert estimate(noise).confidence < 0.25


def test_beats_lie_inside_the_recording_and_the_input_is_left_alone() -> None:
    mono = clicks(np.arange(0.0, 9.9, 60 / 132), 10.0)
    before = mono.copy()
    beats_s = estimate(mono).beats_s
    np.testing.assert_array_equal(mono, before)
    assert all(0 <= beat_s < 10.0 for beat_s in beats_s)
    assert list(beats_s) == sorted(set(beats_s))


@pytest.mark.parametrize("tempo_range_bpm", [(0, 100), (120, 100)])
def test_an_impossible_range_is_refused(tempo_range_bpm: tuple[int, int]) -> None:
    with pytest.raises(ValueError):
        estimate(np.zeros(RATE, dtype=np.float32), tempo_range_bpm=tempo_range_bpm)


def test_a_waltz_has_bars_of_three() -> None:
    """Bars of four laid over a waltz put every cue point off the downbeat."""
    times_s = np.arange(0.2, 29.9, 60 / 140)
    mono = clicks(times_s, 30.0, 1, beats_per_bar=3)
    found = estimate(mono)
    assert found.time_signature == "3/4"
    assert worst_error_s(times_s[1::3], found.downbeats_s) < 0.03


def test_a_bar_of_seven_is_no_bar_of_four() -> None:
    """A time signature made up for 7/8 is worse than none."""
    times_s = np.arange(0.1, 39.9, 60 / 150)
    mono = clicks(times_s, 40.0)
    strong = np.sort(np.concatenate([times_s[0::7], times_s[2::7], times_s[4::7]]))
    mono += 3 * clicks(strong[strong < 39.8], 40.0)
    found = estimate(mono)
    assert found.time_signature is None or found.confidence < 0.5


def test_the_grid_says_where_each_tempo_begins() -> None:
    """A grid in one piece over two tempi drifts out of the beat in both."""
    first_s = np.arange(0.2, 29.9, 60 / 120)
    second_s = np.arange(first_s[-1] + 60 / 132, 59.9, 60 / 132)
    times_s = np.concatenate([first_s, second_s])
    found = estimate(clicks(times_s, 60.0))
    assert not found.is_steady
    assert found.confidence < 0.6
    assert {round(segment.tempo_bpm) for segment in found.grid} >= {120, 132}
    assert sum(segment.n_beats for segment in found.grid) == len(found.beats_s)


def test_bars_hold_through_a_change_of_tempo_and_not_in_free_playing() -> None:
    """A DJ's edit from 120 to 126 has phrases, though no one tempo; a nocturne has no bars."""
    assert rate_hold(0.9, [128]) == 0.9
    assert rate_hold(0.2, [128]) == 0.2
    assert rate_hold(0.2, [64, 63]) == 1.0
    assert rate_hold(0.05, [20, 19, 21, 21]) > 0.5
    assert rate_hold(0.2, [9, 12, 8, 6, 10]) < 0.3
    assert rate_hold(0.0, []) == 0.0


def test_one_segment_describes_a_steady_grid() -> None:
    times_s = np.arange(0.3, 19.9, 60 / 126)
    found = estimate(clicks(times_s, 20.0, 2))
    (segment,) = found.grid
    assert segment.start_s == pytest.approx(0.3, abs=0.01)
    assert segment.tempo_bpm == found.tempo_bpm
    assert segment.n_beats == len(found.beats_s)
    assert segment.first_beat_in_bar == 3
