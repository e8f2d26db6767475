"""Recordings that go over from one even grid to another: stops, cuts, steps of tempo."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bench.made_songs import RATE_HZ, make_song
from core.analysis.rhythm.tempo import estimate_tempo
from core.analysis.spectra import measure_spectra
from core.audio.resample import resample

HOUSE, TWO_STEP, DRUM_AND_BASS = 1056, 1049, 1042


def edit(seed: int, at_beat: Any, gap_beats: float = 0.0, ratio: float = 1.0) -> Any:
    """Make 60 s of a song; from a beat on wait, or leave out, so many beats, and change the tempo.

    Gives samples, true beats, and when the second grid begins.
    """
    song = make_song(seed, 60.0, is_dressed=seed % 2 == 1)
    beat_s = 60 / song.tempo_bpm
    beats_s = np.arange(song.first_downbeat_s % beat_s, 60, beat_s)
    cut_s = beats_s[at_beat] - 0.03
    cut, gap = (round(span_s * RATE_HZ) for span_s in (cut_s, abs(gap_beats) * beat_s))
    first, second = song.mono[:cut], song.mono[cut:]
    later_s = beats_s[at_beat:]
    if gap_beats < 0:
        second = second[gap:]
        later_s = later_s[later_s >= cut_s - gap_beats * beat_s]
    if ratio != 1:
        second = resample(second[None], round(RATE_HZ * ratio), RATE_HZ)[0]
    later_s = cut_s + (later_s - cut_s) / ratio + gap_beats * beat_s
    silence = np.zeros(gap if gap_beats > 0 else 0, dtype=np.float32)
    samples = np.concatenate([first, silence, second])
    return song, samples, np.concatenate([beats_s[:at_beat], later_s]), later_s[0]


def share_met(true_s: Any, found_s: Sequence[float]) -> Any:
    return np.mean([np.abs(np.array(found_s) - time_s).min() < 0.03 for time_s in true_s])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [HOUSE, TWO_STEP, DRUM_AND_BASS])
@pytest.mark.parametrize(
    ("gap_beats", "near_s"),
    # What half a beat is cut out of is struck on both grids at once: either may be it.
    [(7.37, 0.02), (-0.31, 0.5), (-0.5, 3.0)],
    ids=["stop", "cut", "half a beat cut"],
)
def test_the_grid_begins_anew_after_a_stop_or_a_cut(
    seed: Any, gap_beats: float, near_s: float
) -> None:
    """One line over a stop of no whole beats is off the beat in all that comes after."""
    song, samples, true_s, begins_s = edit(seed, at_beat=60, gap_beats=gap_beats)
    found = estimate_tempo(measure_spectra([samples]))
    assert found.tempo_bpm == pytest.approx(song.tempo_bpm, abs=0.06)
    assert not found.is_steady
    first, second = found.grid
    assert second.start_s == pytest.approx(begins_s, abs=near_s)
    assert first.tempo_bpm == second.tempo_bpm == found.tempo_bpm
    assert share_met(true_s, found.beats_s) > 0.95
    assert first.n_beats + second.n_beats == len(found.beats_s)
    assert found.confidence > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [HOUSE, TWO_STEP])
@pytest.mark.parametrize("ratio", [1.05, 0.97, 0.75])
def test_a_step_of_tempo_has_a_grid_on_either_side(seed: Any, ratio: float) -> None:
    """Beats followed one by one over an edit of two tempi give a DJ dozens of markers."""
    song, samples, true_s, begins_s = edit(seed, at_beat=75, ratio=ratio)
    found = estimate_tempo(measure_spectra([samples]))
    first, second = found.grid
    assert first.tempo_bpm == pytest.approx(song.tempo_bpm, abs=0.06)
    assert second.tempo_bpm == pytest.approx(song.tempo_bpm * ratio, abs=0.06)
    # What is struck on both grids at once may belong to either.
    assert second.start_s == pytest.approx(begins_s, abs=1.5)
    assert share_met(true_s, found.beats_s) > 0.95
    assert not found.is_steady
    assert found.confidence < 0.7


def test_bars_are_counted_anew_after_a_stop() -> None:
    """Bars counted through a stop put each later cue point on the wrong beat."""
    song, samples, _, begins_s = edit(HOUSE, at_beat=61, gap_beats=6.6)
    bar_s = 240 / song.tempo_bpm
    # The downbeats of the song, those after the stop that much later.
    downbeats_s = np.arange(song.first_downbeat_s, 60, bar_s)
    after_s = downbeats_s[downbeats_s > 61 * bar_s / 4] + 6.6 * bar_s / 4
    found = estimate_tempo(measure_spectra([samples]))
    assert share_met(after_s[1:-1], found.downbeats_s) > 0.9
    assert set(found.downbeats_s) <= set(found.beats_s)
    assert begins_s < found.grid[1].start_s + 0.02


def test_a_breakdown_leaves_a_steady_track_on_one_grid() -> None:
    """A passage without drums, or off the beat, must not break what a DJ mixes by."""
    song = make_song(HOUSE, 90.0)
    samples = song.mono.copy()
    inside = slice(35 * RATE_HZ, 60 * RATE_HZ)
    times_s = np.arange(35 * RATE_HZ, 60 * RATE_HZ) / RATE_HZ
    # Chords that swell in dotted notes, across the beat.
    dotted_s = 45 / song.tempo_bpm
    swell = np.sin(np.pi * (times_s % dotted_s) / dotted_s) ** 2
    samples[inside] = 0.1 * swell * sum(np.sin(2 * np.pi * hz * times_s) for hz in (220, 277, 330))
    found = estimate_tempo(measure_spectra([samples]))
    assert found.is_steady
    assert len(found.grid) == 1
    assert found.tempo_bpm == pytest.approx(song.tempo_bpm, abs=0.02)
