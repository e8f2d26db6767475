"""Scores of chords and form, and the songs made by rule that they are measured on."""

from pathlib import Path

import numpy as np
import pytest

from bench.harmony_scores import (
    Span,
    rate_made,
    read_spans,
    score_boundaries,
    score_chords,
    score_form,
)
from bench.made_forms import make_form
from bench.made_pieces import make_piece
from bench.made_scores import IDIOMS, QUALITIES
from core.analysis.harmony.camelot import key_of
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.harmony.key import estimate_key
from core.analysis.spectra import measure_spectra

RATE = 11025


def test_chords_count_by_the_time_in_which_their_triad_is_right() -> None:
    """Shares by number of chords would let one long wrong chord pass."""
    truth = [Span(0, 6, "C"), Span(6, 8, "A:min7"), Span(8, 10, "B:dim")]
    found = [Span(0, 3, "C7"), Span(3, 6, "Cm"), Span(6, 10, "Am")]
    assert score_chords(truth, found) == {"chords_majmin": 5 / 8, "chords_root": 1.0}


def test_no_chord_is_an_answer_and_a_gap_is_none() -> None:
    """Silence that is called a chord is wrong; nothing found is wrong everywhere."""
    truth = [Span(0, 2, "N"), Span(2, 4, "F#/A#")]
    assert score_chords(truth, [Span(0, 4, "Gb")])["chords_majmin"] == 0.5
    assert score_chords(truth, [Span(0, 2, "N")])["chords_majmin"] == 0.5
    assert score_chords(truth, [])["chords_majmin"] == 0
    assert score_chords([Span(0, 2, "C:dim")], truth) == {}


def test_each_boundary_is_matched_once_within_its_window() -> None:
    """Two that are found near one true boundary must not count twice."""
    assert score_boundaries([10.0, 20.0], [9.8, 10.2, 23.0], 0.5) == pytest.approx(2 / 5)
    assert score_boundaries([10.0, 20.0], [9.8, 10.2, 23.0], 3.0) == pytest.approx(4 / 5)
    assert score_boundaries([], [], 0.5) == 1
    assert score_boundaries([], [1.0], 0.5) == 0


def test_labels_count_by_time() -> None:
    """Starts and ends of the recording are no boundaries that anything found."""
    truth = [Span(0, 10, "intro"), Span(10, 40, "drop")]
    found = [Span(0, 12, "intro"), Span(12, 40, "drop")]
    scores = score_form(truth, found)
    assert scores["boundary_f_0.5s"] == 0
    assert scores["boundary_f_3s"] == 1
    assert scores["section_labels"] == pytest.approx(38 / 40)


def test_spans_are_read_from_lines(tmp_path: Path) -> None:
    """Labels may hold blanks; lines that are no span are skipped."""
    path = tmp_path / "song.lab"
    path.write_text("0.0 1.5 N\n\n1.5\t3 C:maj7\n")
    assert read_spans(path) == [Span(0, 1.5, "N"), Span(1.5, 3, "C:maj7")]


@pytest.mark.parametrize("idiom", IDIOMS)
def test_a_made_piece_is_the_same_each_time_and_tells_its_harmony(idiom: str) -> None:
    """Scores of songs that change from run to run compare with nothing."""
    first, second = (make_piece(7, 6.0, rate_hz=RATE, idiom=idiom) for _ in range(2))
    assert np.array_equal(first.mono, second.mono)
    assert first.mono.shape == (6 * RATE,)
    assert np.isfinite(first.mono).all()
    assert np.abs(first.mono).max() == pytest.approx(0.7, abs=0.01)
    chords = first.score.chords
    assert chords[0].key == first.score.key
    assert all(c.bass in c.pitch_classes and c.quality in QUALITIES for c in chords)
    ends = [chord.start + chord.length for chord in chords]
    assert [chord.start for chord in chords] == pytest.approx([0, *ends[:-1]])
    assert ends[-1] * first.beat_s >= 6.0


@pytest.mark.slow
def test_most_keys_of_made_folk_songs_are_heard() -> None:
    """Truth that is off by a semitone, or on the wrong mode, would train and judge wrongly."""
    right = 0
    for seed in range(8):
        piece = make_piece(seed, 20.0, rate_hz=RATE, idiom="folk")
        found = estimate_key(measure_chroma(measure_spectra([piece.mono], RATE)))
        right += found.key == key_of(*piece.score.key)
    assert right >= 6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_sections_of_a_made_form_tile_its_bars(seed: int) -> None:
    """Sections between bar lines could not be found by anything."""
    song = make_form(seed)
    starts = [section.start_s for section in song.sections]
    assert starts[1:] == [section.end_s for section in song.sections[:-1]]
    assert all(np.min(np.abs(np.subtract(song.downbeats_s, start))) < 1e-6 for start in starts)
    assert np.isfinite(song.mono).all()


@pytest.mark.slow
def test_made_songs_are_rated_by_idiom_and_kind() -> None:
    """Names that change break who reads the JSON."""
    figures = rate_made(4)
    assert {"made_key_exact", "made_chords_majmin", "made_boundary_f_0.5s"} <= set(figures)
    assert {"made_key_exact_pop", "made_section_labels_song"} <= set(figures)
    assert isinstance(figures["made_key_reliability"], str)
