"""Scores of tempo, beats and key by the conventions of mir_eval, MIREX and DJs.

The truth is a row of a set (`bench.analysis`); estimates have the names of the analysis.
"""

from collections.abc import Sequence

import numpy as np

SAME_FAMILY = (1.0, 2.0, 3.0, 1 / 2, 1 / 3)
BEAT_WINDOW_S = 0.07
FIRST_BEAT_S = 5.0

_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def is_tempo(truth_bpm: float, found_bpm: float, factors: Sequence[float] = (1.0,)) -> bool:
    """Check whether a tempo is within 4 % of the truth or of a multiple (accuracy 1 and 2)."""
    return any(abs(found_bpm / (truth_bpm * factor) - 1) <= 0.04 for factor in factors)


def is_exact(truth_bpm: float, found_bpm: float) -> bool:
    """Check whether a tempo is within 0.05 BPM of the truth or of a multiple."""
    return any(abs(found_bpm - truth_bpm * f) <= 0.05 * max(f, 1) for f in SAME_FAMILY)


def score_beats(truth_s: Sequence[float], found_s: Sequence[float]) -> float:
    """Return the F-measure of beats within 70 ms, from 5 s on (Dixon 2007)."""
    truth = [time for time in truth_s if time >= FIRST_BEAT_S]
    found = [time for time in found_s if time >= FIRST_BEAT_S]
    hits, at_truth, at_found = 0, 0, 0
    while at_truth < len(truth) and at_found < len(found):
        if abs(truth[at_truth] - found[at_found]) <= BEAT_WINDOW_S:
            hits, at_truth, at_found = hits + 1, at_truth + 1, at_found + 1
        elif truth[at_truth] < found[at_found]:
            at_truth += 1
        else:
            at_found += 1
    return 2 * hits / max(1, len(truth) + len(found))


def score_key(truth: str, found: str) -> float:
    """Return MIREX's weighted score: 1 same, 0.5 fifth above, 0.3 relative, 0.2 parallel."""
    (tonic, mode), (other, other_mode) = parse_key(truth), parse_key(found)
    if mode == other_mode:
        return {0: 1.0, 7: 0.5}.get((other - tonic) % 12, 0.0)
    if tonic == other:
        return 0.2
    return 0.3 if (other - tonic) % 12 == (9 if mode == "major" else 3) else 0.0


def is_compatible(truth: str, found: str) -> bool:
    """Check whether a key mixes with the true one: same, relative or adjacent."""
    (tonic, mode), (other, other_mode) = parse_key(truth), parse_key(found)
    if mode == other_mode:
        return (other - tonic) % 12 in (0, 5, 7)
    return (other - tonic) % 12 == (9 if mode == "major" else 3)


def calibration(confidences: Sequence[float], hits: Sequence[bool]) -> tuple[float, str]:
    """Compare confidences with the shares of right results.

    Returns the expected calibration error over five bins (Naeini et al., AAAI 2015), and the
    reliability curve as ``confidence→hits(count)`` by bin.
    """
    stated, right = np.asarray(confidences), np.asarray(hits, dtype=np.float64)
    bins = np.minimum(4, (stated * 5).astype(np.intp))
    error, curve = 0.0, []
    for index in range(5):
        inside = bins == index
        if inside.any():
            error += inside.mean() * abs(stated[inside].mean() - right[inside].mean())
            curve.append(f"{stated[inside].mean():.2f}→{right[inside].mean():.2f}({inside.sum()})")
    return float(error), " ".join(curve)


def parse_key(key: str) -> tuple[int, str]:
    """Return pitch class and mode of a key: ``Bb minor`` is (10, ``minor``)."""
    name, mode = key.split()
    sharps = name.count("#") - name[1:].count("b")
    return (_PITCH_CLASSES[name[0]] + sharps) % 12, mode
