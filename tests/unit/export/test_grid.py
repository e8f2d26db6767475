"""Beats to tempo segments, against beats that were laid out with known tempos."""

import numpy as np
import pytest

from core.export.grid import beats_to_grid
from core.export.model import Cue, GridSegment


def beats_of(*parts, start_s=0.5):
    times = [start_s]
    for tempo_bpm, n_beats in parts:
        times += [times[-1] + 60 / tempo_bpm * beat for beat in range(1, n_beats + 1)]
    return times


def test_a_steady_track_is_one_segment_in_spite_of_the_trackers_jitter():
    """A segment for every wobble of a few milliseconds makes a grid that nobody can edit."""
    jitter = np.random.default_rng(0).uniform(-0.008, 0.008, 801)
    (segment,) = beats_to_grid(np.array(beats_of((127.5, 800))) + jitter)
    assert segment.tempo_bpm == pytest.approx(127.5, abs=0.01)
    assert segment.start_s == pytest.approx(0.5, abs=0.002)


def test_a_change_of_tempo_starts_a_segment_on_a_beat():
    times = beats_of((120.0, 64), (126.0, 64))
    first, second = beats_to_grid(times)
    assert first.tempo_bpm == pytest.approx(120, abs=0.2)
    assert second.tempo_bpm == pytest.approx(126, abs=0.2)
    assert min(abs(np.array(times) - second.start_s)) < 0.02


def test_every_beat_lies_within_the_tolerance_of_the_grid():
    """A drift that is averaged away leaves the end of a live recording off by beats."""
    times = np.cumsum(60 / np.linspace(100, 112, 400))
    segments = beats_to_grid(times, tolerance_s=0.02)
    assert 1 < len(segments) < 40
    starts = np.array([segment.start_s for segment in segments])
    for time in times:
        segment = segments[max(0, int(np.searchsorted(starts, time + 0.02)) - 1)]
        beats = (time - segment.start_s) * segment.tempo_bpm / 60
        assert abs(beats - round(beats)) * 60 / segment.tempo_bpm < 0.03


def test_later_segments_start_on_downbeats():
    """Traktor and Serato count bars from a grid's markers: one on beat 3 shifts the bars by two."""
    times = beats_of((120.0, 66), (126.0, 64))
    segments = beats_to_grid(times, times[0::4])
    assert len(segments) > 1
    assert {segment.beat_in_bar for segment in segments} == {1}


@pytest.mark.parametrize("first_downbeat", [0, 1, 2, 3])
def test_the_first_beats_place_in_its_bar_counts_back_from_the_downbeat(first_downbeat):
    times = beats_of((120.0, 32))
    (segment,) = beats_to_grid(times, times[first_downbeat::4])
    assert segment.beat_in_bar == (-first_downbeat) % 4 + 1


@pytest.mark.parametrize(
    ("start_s", "beat_in_bar", "expected"),
    [(2.0, 1, 2.0), (2.0, 3, 1.0), (0.25, 2, 1.75), (0.25, 4, 0.75)],
)
def test_the_downbeat_beside_a_segments_start(start_s, beat_in_bar, expected):
    assert GridSegment(start_s, 120.0, 4, beat_in_bar).downbeat_s == pytest.approx(expected)


def test_a_line_that_begins_before_the_recording_starts_on_the_next_beat():
    times = np.array(beats_of((120.0, 16), start_s=0.001)) - np.array([0.0] + [0.004] * 16)
    (segment,) = beats_to_grid(np.maximum(times, 0))
    assert 0 <= segment.start_s < 0.51


@pytest.mark.parametrize("beats", [[], [1.0], [2.0, 1.0], [1.0, 1.0], [float("nan"), 1.0]])
def test_what_is_no_rhythm_has_no_grid(beats):
    assert beats_to_grid(beats) == ()


@pytest.mark.parametrize(
    "values", [(0.0, 0.0), (float("nan"), 120.0), (0.0, 120.0, 4, 5), (0.0, 120.0, 4, 0)]
)
def test_segments_that_no_program_could_draw_are_refused(values):
    with pytest.raises(ValueError):
        GridSegment(*values)


@pytest.mark.parametrize("facts", [{"start_s": -1.0}, {"start_s": 1.0, "end_s": 1.0}])
def test_cues_that_no_program_could_show_are_refused(facts):
    with pytest.raises(ValueError):
        Cue(**facts)
