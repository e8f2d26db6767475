"""Chords of synthesised progressions, beat by beat."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from core.analysis.harmony.chords import NO_CHORD, ChordSegment, estimate_chords
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.spectra import measure_spectra
from tests.progressions import RATE, play_chord

BEAT_S = 0.5
QUALITIES = {"maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10), "dim": (0, 3, 6), "m7b5": (0, 3, 6, 10)}
INTERVALS = {"": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10)}


def chords_of(signal: Any, beats_s: Any = None) -> tuple[ChordSegment, ...]:
    spectra = measure_spectra([np.asarray(signal, dtype=np.float32)])
    if beats_s is None:
        beats_s = np.arange(0, len(signal) / RATE, BEAT_S)
    return estimate_chords(measure_chroma(spectra), tuple(beats_s))


def named(segments: Any) -> list[Any]:
    return [segment.chord for segment in segments]


def test_a_cadence_is_named_and_its_changes_fall_on_the_beats() -> None:
    """A late frame, or a chroma off by a semitone, moves borders or names."""
    progression = [(0, ""), (9, "m"), (2, "m"), (7, "7"), (0, "")]
    signal = np.concatenate([play_chord(r, INTERVALS[q], 2 * BEAT_S) for r, q in progression])
    segments = chords_of(signal)
    assert named(segments) == ["C", "Am", "Dm", "G7", "C"]
    assert [s.start_s for s in segments] == pytest.approx([0, 1, 2, 3, 4])
    assert segments[-1].end_s == pytest.approx(5, abs=0.001)
    assert all(segment.confidence > 0.5 for segment in segments)


@pytest.mark.parametrize("quality", INTERVALS)
def test_every_root_of_every_quality_is_named(quality: Any) -> None:
    """A template rotated wrongly is right for one root only."""
    roots = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
    order = [(5 * step) % 12 for step in range(12)]
    signal = np.concatenate([play_chord(root, INTERVALS[quality], 1) for root in order])
    found = chords_of(signal)
    middles = {
        next(s.chord for s in found if s.start_s <= step + 0.5 < s.end_s): order[step]
        for step in range(12)
    }
    assert middles == {roots[root] + quality: root for root in order}


@pytest.mark.parametrize("quality", ["maj7", "m7", "dim", "m7b5"])
def test_sevenths_and_diminished_chords_are_named(quality: Any) -> None:
    """Chords of jazz were major, minor or dominant, whatever they were."""
    signal = np.concatenate([play_chord(root, QUALITIES[quality], 2) for root in (0, 5, 10)])
    assert named(chords_of(signal)) == ["C" + quality, "F" + quality, "Bb" + quality]


def test_an_inversion_keeps_its_root() -> None:
    """The bass is evidence of the root, and no more."""
    third = play_chord(0, (-8, 0, 4, 7), 2) - play_chord(0, (), 2)
    assert named(chords_of(third)) == ["C"]


def test_drums_do_not_change_the_chords() -> None:
    """Noise on every beat raises all pitch classes."""
    signal = np.concatenate([play_chord(r, (0, 4, 7), 2) for r in (0, 5, 7, 0)])
    time = np.arange(len(signal)) / RATE
    noise = np.random.default_rng(3).normal(size=len(signal)) * np.exp(-(time % BEAT_S) * 40)
    assert named(chords_of(signal + 0.04 * noise)) == ["C", "F", "G", "C"]


def test_a_pause_is_no_chord() -> None:
    """The chord before a pause must not last through it."""
    chord = play_chord(9, (0, 3, 7), 4)
    segments = chords_of(np.concatenate([chord, np.zeros(4 * RATE), chord]))
    assert named(segments) == ["Am", NO_CHORD, "Am"]
    assert segments[1].start_s == pytest.approx(4, abs=BEAT_S)
    assert segments[1].end_s == pytest.approx(8, abs=BEAT_S)


@pytest.mark.parametrize("seed", range(2))
def test_noise_is_no_chord(seed: int) -> None:
    """Some chord always fits best."""
    noise = np.random.default_rng(seed).normal(size=10 * RATE)
    assert named(chords_of(noise)) == [NO_CHORD]


def test_a_single_tone_is_no_chord() -> None:
    """One pitch fits a third of every triad that holds it."""
    assert named(chords_of(np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE))) == [NO_CHORD]


def test_silence_is_one_segment_and_nothing_is_none() -> None:
    """Neither may divide by nothing."""
    (segment,) = chords_of(np.zeros(RATE))
    assert segment == ChordSegment(0.0, 1.0, NO_CHORD, segment.confidence)
    assert segment.confidence == pytest.approx(1, abs=0.01)
    assert chords_of(np.zeros(0)) == ()


@pytest.mark.parametrize("beats_s", [(), (2.1,), (2.0, 2.5, 3.0), (-1.0, 0.0, 9.0)])
def test_segments_cover_the_whole_recording_whatever_the_beats(beats_s: tuple[Any, ...]) -> None:
    """An intro before the first beat has chords, too."""
    signal = np.concatenate([play_chord(0, (0, 4, 7), 2), play_chord(5, (0, 4, 7), 2)])
    segments = chords_of(signal, beats_s)
    assert segments[0].start_s == 0
    assert segments[-1].end_s == pytest.approx(4, abs=0.001)
    for before, after in pairwise(segments):
        assert before.end_s == after.start_s
        assert before.chord != after.chord
