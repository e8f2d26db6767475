"""Patterns that lie across the beat: their tempo is the beat's, not theirs."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.made_songs import make_song
from core.analysis.rhythm.onset import onset_bands
from core.analysis.rhythm.periodicity import measure_periodicity
from core.analysis.rhythm.tempo import TempoEstimate, estimate_tempo
from core.analysis.spectra import ANALYSIS_RATE_HZ as RATE
from core.analysis.spectra import measure_spectra
from core.analysis.version import TEMPO_RANGE_BPM

FAMILY = (1 / 2, 1, 2)


def strike(mono: Any, time_s: Any, hz: Any, level: Any, decay: Any = 12.0) -> None:
    start = round(time_s * RATE)
    ring = np.arange(max(0, min(len(mono) - start, RATE // 3))) / RATE
    attack = np.minimum(1, ring / 0.003)
    mono[start : start + len(ring)] += (
        level * attack * np.sin(2 * np.pi * hz * ring) * np.exp(-decay * ring)
    )


def play_steps(
    tempo_bpm: Any, parts: Any, duration_s: Any = 40.0, steps_a_beat: Any = 4
) -> NDArray[Any]:
    """Play patterns of steps, each as long as it is: (marks, pitch in Hz, level)."""
    mono = np.zeros(round(duration_s * RATE))
    step_s = 60 / tempo_bpm / steps_a_beat
    for step in range(int(duration_s / step_s) - 1):
        for marks, hz, level in parts:
            if marks[step % len(marks)] == "x":
                strike(mono, 0.1 + step * step_s, hz, level)
    return mono.astype(np.float32)


def estimate(mono: Any) -> TempoEstimate:
    return estimate_tempo(measure_spectra([mono]))


def is_in_family(found_bpm: float, tempo_bpm: float) -> bool:
    return any(abs(found_bpm - ratio * tempo_bpm) < 0.1 for ratio in FAMILY)


@pytest.mark.slow
@pytest.mark.parametrize("tempo_bpm", [96, 112, 124, 138])
@pytest.mark.parametrize(
    "parts",
    [
        [("x..x..x.x..x..x.", 90, 1.0), ("x...............", 300, 0.6)],
        [("x..", 700, 0.5), ("x...............", 60, 1.0), ("....x.......x...", 250, 0.7)],
        [("x..x..x.", 500, 0.8), ("x.......x.x.....", 60, 1.0)],
    ],
    ids=["tresillo", "arpeggio of three over a beat", "dotted echo"],
)
def test_threes_over_a_beat_do_not_take_the_tempo(
    parts: list[tuple[str, int, float]], tempo_bpm: int
) -> None:
    """What repeats every three sixteenths is loud, and 4/3 or 2/3 of the tempo is in no bar."""
    found = estimate(play_steps(tempo_bpm, parts))
    assert is_in_family(found.tempo_bpm, tempo_bpm)
    assert found.is_steady


@pytest.mark.parametrize("seed", [2, 11, 14, 15, 20])
def test_a_loop_without_a_pulse_is_counted_by_the_grid_it_lies_on(seed: int) -> None:
    """A beat that hardly repeats after itself, but after two bars exactly, still has a tempo."""
    rng = np.random.default_rng(seed)
    parts = [
        ("".join(rng.choice(["x", "."], p=[share, 1 - share], size=32)), hz, 0.8)
        for hz, share in ((60, 0.25), (250, 0.2), (2000, 0.3))
    ]
    found = estimate(play_steps(110, parts, duration_s=30.0))
    assert is_in_family(found.tempo_bpm, 110)


def test_the_phase_of_the_beat_holds_and_that_of_two_thirds_does_not() -> None:
    """Windows of 12 s alone blur the lines of a bar: 2/3 of a beat then looks like part of it."""
    mono = play_steps(120, [("x..x..x.x..x..x.", 90, 1.0), ("....x.......x...", 300, 0.8)])
    periodicity = measure_periodicity(onset_bands(measure_spectra([mono])))
    beat, half_beat, third, beyond = periodicity.coherence_at(np.array([2.0, 4.0, 4 / 3, 30.0]))
    assert beat > 0.95
    assert half_beat > 0.95
    assert third < 0.7
    assert beyond == 0


def test_a_moment_is_too_short_to_lose_its_phase() -> None:
    mono = play_steps(120, [("x...", 90, 1.0)], duration_s=5.0)
    periodicity = measure_periodicity(onset_bands(measure_spectra([mono])))
    np.testing.assert_array_equal(periodicity.coherence_at(np.array([2.0, 3.1])), [1, 1])


@pytest.mark.parametrize("second_bpm", [104, 130, 140])
def test_a_tempo_that_rises_or_falls_evenly_is_followed(second_bpm: int) -> None:
    """An even grid at the mean tempo of a ramp is out of the beat at both ends."""
    times_s, tempo_bpm = [0.2], 118.0
    while times_s[-1] < 58:
        tempo_bpm = 118 + (second_bpm - 118) * times_s[-1] / 60
        times_s.append(times_s[-1] + 60 / tempo_bpm)
    mono = np.zeros(round((times_s[-1] + 0.3) * RATE))
    for time_s in times_s:
        strike(mono, time_s, 90, 1.0)
    found = estimate(mono.astype(np.float32))
    assert not found.is_steady
    assert found.confidence <= 0.5
    assert len(found.grid) > 1
    assert found.grid[0].tempo_bpm == pytest.approx(118, abs=3)
    assert found.grid[-1].tempo_bpm == pytest.approx(second_bpm, abs=4)
    away_s = [np.abs(np.array(found.beats_s) - time_s).min() for time_s in times_s[2:-2]]
    assert np.quantile(away_s, 0.95) < 0.03


@pytest.mark.parametrize(
    ("parts", "time_signature"),
    [
        ([("x.....", 60, 1.0), ("..x.x.", 250, 0.7), ("x", 3000, 0.2)], "3/4"),
        ([("x.....x...", 60, 1.0), ("..x.....x.", 250, 0.7), ("x", 3000, 0.2)], None),
        ([("x...x...x.....", 60, 1.0), ("..x...x...x.x.", 250, 0.6), ("x", 3000, 0.2)], None),
    ],
    ids=["3/4", "5/4", "7/8"],
)
@pytest.mark.parametrize("tempo_bpm", [100, 140])
def test_odd_bars_have_their_tempo_and_no_made_up_signature(
    parts: list[tuple[str, int, float]], time_signature: str | None, tempo_bpm: int
) -> None:
    """Drums in seven taken for 4/4 put three of four bar lines where no bar begins."""
    found = estimate(play_steps(tempo_bpm, parts, steps_a_beat=2))
    assert found.tempo_bpm == pytest.approx(tempo_bpm, abs=0.05)
    assert found.time_signature == time_signature
    if time_signature is None:
        assert found.downbeat_confidence < 0.3


@pytest.mark.parametrize("seed", [2045, 2109])
def test_a_waltz_that_varies_from_bar_to_bar_has_bars_of_three(seed: int) -> None:
    """Twelve beats are three bars of four and four of three: what repeats then says neither."""
    song = make_song(seed, 30.0)
    found = estimate(song.mono)
    assert found.tempo_bpm == pytest.approx(song.tempo_bpm, abs=0.1)
    assert found.time_signature == "3/4"
    bar_s = 180 / song.tempo_bpm
    away_s = (np.array(found.downbeats_s) - song.first_downbeat_s + bar_s / 2) % bar_s - bar_s / 2
    assert np.abs(away_s).max() < 0.03


@pytest.mark.parametrize("seed", [2029, 2077])
def test_a_fast_waltz_is_counted_by_its_kick_and_its_chords(seed: int) -> None:
    """By repetition alone two levels of these were near equals."""
    song = make_song(seed, 30.0)
    found = estimate(song.mono)
    assert found.tempo_bpm == pytest.approx(song.tempo_bpm, abs=0.1)
    assert found.confidence > 0.7


@pytest.mark.parametrize("seed", [2101, 2117])
def test_two_levels_that_are_near_equals_leave_the_tempo_in_doubt(seed: int) -> None:
    """88 or 176, said with confidence .8: half of such tracks are in the wrong crate."""
    found = estimate(make_song(seed, 30.0).mono)
    lowest, highest = TEMPO_RANGE_BPM
    rival = max(c.score for c in found.alternatives if lowest <= c.tempo_bpm <= highest)
    assert rival > 0.6
    assert found.confidence <= 1 / (1 + rival)
