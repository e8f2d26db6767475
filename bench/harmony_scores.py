"""Scores of key, chords and form, and their figures on music made by rule.

Conventions of mir_eval: chords by the share of time in which they are right (only chords with a
major or minor triad count, and passages without chord); boundaries by the F-measure of those
between sections, within 0.5 s and 3 s. A label counts by the share of time that has it.

References: Raffel et al., "mir_eval: a transparent implementation of common MIR metrics", ISMIR
2014; Pauwels & Peeters, "Evaluating automatically estimated chord sequences", ICASSP 2013.
"""

import re
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.made_forms import RATE_HZ, MadeForm, make_form
from bench.made_pieces import MadePiece, make_piece
from bench.music_scores import calibration, is_compatible, parse_key, score_key
from core.analysis.form.structure import Structure, find_structure
from core.analysis.harmony.camelot import key_of
from core.analysis.harmony.chords import estimate_chords
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.harmony.key import estimate_key
from core.analysis.rhythm.tempo import estimate_tempo
from core.analysis.spectra import Spectra, measure_spectra

BOUNDARY_WINDOWS_S = (0.5, 3.0)
FIRST_SEED = 1_000_000
"""First seed of the songs that are scored; those for training stay far below it."""

# Triad of a quality: major, minor; others are not scored.
_TRIADS = {"": 4, "7": 4, "maj7": 4, "m": 3, "m7": 3}
_CHORD = re.compile(r"([A-G][#b]?)(?::)?([^/]*)(?:/.*)?")
_HARTE = {"maj": "", "min": "m", "min7": "m7", "maj6": "", "6": "", "9": "7", "maj9": "maj7"}


class Span(NamedTuple):
    """A labelled stretch of time in seconds."""

    start_s: float
    end_s: float
    label: str


def read_spans(path: Path) -> list[Span]:
    """Read lines of ``start end label``, seconds, as annotations of chords and sections are."""
    rows = [line.split(maxsplit=2) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Span(float(row[0]), float(row[1]), row[2].strip()) for row in rows if len(row) == 3]


def score_chords(truth: Sequence[Span], found: Sequence[Span]) -> dict[str, float]:
    """Return the shares of scored time with the right triad, and with the right root."""
    triad = root = total = 0.0
    for start_s, end_s, true, other in _overlap(truth, found):
        expected = _triad(true)
        if expected is None:
            continue
        given = _triad(other)
        total += end_s - start_s
        triad += (end_s - start_s) * (given == expected)
        root += (end_s - start_s) * (_root(other) == expected[0])
    if not total:
        return {}
    return {"chords_majmin": triad / total, "chords_root": root / total}


def score_form(truth: Sequence[Span], found: Sequence[Span]) -> dict[str, float]:
    """Return the F-measures of the boundaries, and the share of time with the right label."""
    scores = {
        f"boundary_f_{window_s:g}s": score_boundaries(
            [span.start_s for span in truth[1:]], [span.start_s for span in found[1:]], window_s
        )
        for window_s in BOUNDARY_WINDOWS_S
    }
    right = total = 0.0
    for start_s, end_s, true, other in _overlap(truth, found):
        total += end_s - start_s
        right += (end_s - start_s) * (true == other)
    return scores | {"section_labels": right / total if total else 0.0}


def score_boundaries(truth_s: Sequence[float], found_s: Sequence[float], window_s: float) -> float:
    """Return the F-measure of boundaries within a window; 1 if there are none and none is found."""
    if not truth_s and not found_s:
        return 1.0
    hits, at_truth, at_found = 0, 0, 0
    while at_truth < len(truth_s) and at_found < len(found_s):
        if abs(truth_s[at_truth] - found_s[at_found]) <= window_s:
            hits, at_truth, at_found = hits + 1, at_truth + 1, at_found + 1
        elif truth_s[at_truth] < found_s[at_found]:
            at_truth += 1
        else:
            at_found += 1
    return 2 * hits / (len(truth_s) + len(found_s))


def rate_made(n_songs: int) -> dict[str, float | str]:
    """Score key, chords and form of as many made songs; keys by idiom, forms by kind."""
    rows: list[tuple[str, Mapping[str, float]]] = []
    stated: list[tuple[float, bool]] = []
    for seed in range(FIRST_SEED, FIRST_SEED + n_songs):
        piece = make_piece(seed, rate_hz=RATE_HZ)
        spectra = measure_spectra([piece.mono], RATE_HZ)
        scores, confidence = _score_piece(piece, spectra)
        rows.append((piece.score.idiom, scores))
        stated.append((confidence, scores["key_exact"] == 1))
    for seed in range(FIRST_SEED, FIRST_SEED + n_songs // 4):
        song = make_form(seed)
        rows.append((song.kind, _score_made_form(song)))
    figures: dict[str, float | str] = {}
    for name in dict.fromkeys(name for _, scores in rows for name in scores):
        figures[f"made_{name}"] = statistics.fmean(s[name] for _, s in rows if name in s)
        for group in dict.fromkeys(group for group, scores in rows if name in scores):
            values = [s[name] for other, s in rows if name in s and other == group]
            figures[f"made_{name}_{group}"] = statistics.fmean(values)
    error, curve = calibration(*zip(*stated, strict=True))
    return figures | {"made_key_calibration_error": error, "made_key_reliability": curve}


def _score_piece(piece: MadePiece, spectra: Spectra) -> tuple[dict[str, float], float]:
    chroma = measure_chroma(spectra)
    found, truth = estimate_key(chroma), key_of(*piece.score.key)
    scores = {
        "key_exact": float(found.key == truth),
        "key_weighted": score_key(truth, found.key) if found.key else 0.0,
        "key_compatible": float(found.key is not None and is_compatible(truth, found.key)),
    }
    chords = [
        Span(
            chord.start * piece.beat_s,
            min((chord.start + chord.length) * piece.beat_s, spectra.duration_s),
            key_of(chord.root, "major").split()[0] + chord.quality,
        )
        for chord in piece.score.chords
        if chord.start * piece.beat_s < spectra.duration_s
    ]
    if piece.has_chords:  # a melody or a riff alone leaves its chords open
        beats_s = estimate_tempo(spectra).beats_s
        segments = estimate_chords(chroma, beats_s)
        scores |= score_chords(chords, [Span(s.start_s, s.end_s, s.chord) for s in segments])
    return scores, found.confidence


def _score_made_form(song: MadeForm) -> dict[str, float]:
    """Score the form on the true bars, alone and with the sung passages; and on the found bars."""
    spectra = measure_spectra([song.mono], RATE_HZ)
    truth = [Span(section.start_s, section.end_s, section.label) for section in song.sections]
    scores = score_form(truth, spans_of(find_structure(spectra, song.downbeats_s)))
    sung = find_structure(spectra, song.downbeats_s, vocals_s=song.vocals_s)
    scores["section_labels_sung"] = score_form(truth, spans_of(sung))["section_labels"]
    heard = find_structure(spectra, estimate_tempo(spectra).downbeats_s)
    by_heard = score_form(truth, spans_of(heard))
    return scores | {f"{name}_heard_bars": value for name, value in by_heard.items()}


def spans_of(structure: Structure) -> list[Span]:
    """Return the sections of a structure as spans."""
    return [Span(s.start_s, s.end_s, s.label.value) for s in structure.sections]


def _overlap(
    truth: Sequence[Span], found: Sequence[Span]
) -> list[tuple[float, float, str, str | None]]:
    """Cut the true time wherever either changes; return start, end, truth and what was found."""
    borders = sorted({time for span in (*truth, *found) for time in span[:2]})
    starts = np.array([span.start_s for span in found])
    cuts: list[tuple[float, float, str, str | None]] = []
    for span in truth:
        inside = [span.start_s, *(t for t in borders if span.start_s < t < span.end_s), span.end_s]
        for start_s, end_s in pairwise(inside):
            index = int(np.searchsorted(starts, start_s + 1e-9)) - 1
            is_there = index >= 0 and found[index].end_s > start_s
            cuts.append((start_s, end_s, span.label, found[index].label if is_there else None))
    return cuts


def _triad(chord: str | None) -> tuple[int, int] | None:
    """Return root and third of a chord, (-1, 0) for no chord; None for what is not scored."""
    if chord in (None, "N"):
        return None if chord is None else (-1, 0)
    found = _CHORD.fullmatch(chord or "")
    third = _TRIADS.get(_HARTE.get(found[2], found[2])) if found else None
    return None if found is None or third is None else (parse_key(f"{found[1]} major")[0], third)


def _root(chord: str | None) -> int | None:
    found = _CHORD.fullmatch(chord or "")
    if found is None:
        return -1 if chord == "N" else None
    return parse_key(f"{found[1]} major")[0]
