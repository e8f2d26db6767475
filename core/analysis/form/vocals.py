"""Vocal activity: the level of the vocal stem, gated with hysteresis.

A passage begins where the stem rises above the upper threshold and lasts while it stays above the
lower one; short rests are bridged and short bursts dropped. The thresholds are relative to the
stem's own singing level, and must exceed the leakage of a separator, which is relative to the
level of the mixture.

Conventions: levels are dBFS, one for each `HOP_S`; intervals are ``(start, end)`` in seconds,
ascending and disjoint.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOP_S = 0.05
"""Seconds from one level to the next."""
INSTRUMENTAL_RATIO = 0.05
"""Share of sung time below which a recording counts as instrumental."""

_SILENCE_DB = -120.0  # floor of the levels, dBFS

Levels = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VocalRules:
    """Which levels of a vocal stem are singing.

    Parameters
    ----------
    open_db : level at which a passage begins, relative to the stem's own singing level.
    hysteresis_db : how far below that level a passage ends.
    leakage_db : level relative to the mixture below which nothing is singing but what the separator
        leaks.
    sure_db : level relative to the mixture from which singing is certain.
    bridged_s : longest rest in seconds inside a passage.
    shortest_s : shortest passage in seconds.
    loud_percentile : percentile of the levels above silence that stands for the level of the loud
        parts.

    The values are checked on synthesised stems (tests/unit/analysis/form/test_vocals.py). No
    benchmark recorded.
    """

    open_db: float = -16.0
    hysteresis_db: float = 8.0
    leakage_db: float = -20.0
    sure_db: float = -6.0
    bridged_s: float = 0.35
    shortest_s: float = 0.30
    loud_percentile: int = 95


RULES = VocalRules()


@dataclass(frozen=True, slots=True)
class VocalActivity:
    """Sung passages of a recording.

    Parameters
    ----------
    intervals_s : ``(start, end)`` of each sung passage.
    ratio : sung time as a share of the recording, 0 to 1.
    confidence : 0 to 1; low where the stem is faint beside the mixture.
    """

    intervals_s: tuple[tuple[float, float], ...] = ()
    ratio: float = 0.0
    confidence: float = 1.0

    @property
    def is_instrumental(self) -> bool:
        """Whether the share of sung time is below `INSTRUMENTAL_RATIO`."""
        return self.ratio < INSTRUMENTAL_RATIO


def measure_levels(blocks: Iterable[NDArray[np.float32]], sample_rate: int) -> Levels:
    """Measure the RMS level of every 50 ms in dBFS, −120 for silence.

    Parameters
    ----------
    blocks : float32 ``(n_channels, n)``, in order.
    sample_rate : in Hz.

    Returns
    -------
    float64 ``(n,)``; value ``i`` belongs to the span that starts at ``i * HOP_S``, to the nearest
    sample. A shorter last span counts as one. No samples: shape ``(0,)``.
    """
    hop = max(1.0, HOP_S * sample_rate)
    powers: list[NDArray[np.float64]] = []
    rest: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
    n_spans = n_measured = 0
    for block in blocks:
        joined = np.concatenate([rest, np.mean(np.square(block), axis=0)])
        # A span of 551.25 samples has 551 or 552: rounded for all alike, times would drift.
        numbers = np.arange(n_spans, n_spans + int(len(joined) / hop) + 2)
        edges = np.rint(numbers * hop).astype(np.intp) - n_measured
        edges = edges[edges <= len(joined)]
        if len(edges) > 1:
            sums = np.add.reduceat(joined[: edges[-1]], edges[:-1], dtype=np.float64)
            powers.append(sums / np.diff(edges))
        n_spans, n_measured = n_spans + len(edges) - 1, n_measured + int(edges[-1])
        rest = joined[edges[-1] :]
    if rest.size:
        powers.append(rest.mean(keepdims=True, dtype=np.float64))
    power = np.concatenate(powers) if powers else np.zeros(0)
    levels: Levels = 10 * np.log10(np.maximum(power, 10 ** (_SILENCE_DB / 10)))
    return levels


def find_vocals(vocals_db: Levels, mixture_db: Levels, *, duration_s: float) -> VocalActivity:
    """Find the sung passages.

    Parameters
    ----------
    vocals_db, mixture_db : levels of the vocal stem and of the mixture from `measure_levels`, of
        the same length.
    duration_s : of the recording; no passage ends later.

    Returns
    -------
    The passages; empty for silence and for a stem that holds only leakage.
    """
    if not vocals_db.size or float(vocals_db.max()) <= _SILENCE_DB:
        return VocalActivity()
    loud_vocals, loud_mixture = _loud_level(vocals_db), _loud_level(mixture_db)
    open_db = max(loud_vocals + RULES.open_db, loud_mixture + RULES.leakage_db)
    runs = _gate(vocals_db, open_db, open_db - RULES.hysteresis_db)
    passages = _tidy([(start, min(end, duration_s)) for start, end in runs])
    margin_db = loud_vocals - loud_mixture
    sung_s = sum(end - start for start, end in passages)
    doubt = np.clip((margin_db - RULES.leakage_db) / (RULES.sure_db - RULES.leakage_db), 0, 1)
    # A stem far below the mixture is certainly empty; one near its level is certainly sung.
    confidence = float(doubt) if passages else 1 - float(doubt) / 2
    return VocalActivity(tuple(passages), min(1.0, float(sung_s / duration_s)), confidence)


def _loud_level(levels: Levels) -> float:
    """Return the level of the loud parts: a high percentile of the levels above silence."""
    sounding = levels[levels > _SILENCE_DB]
    return float(np.percentile(sounding, RULES.loud_percentile)) if sounding.size else _SILENCE_DB


def _gate(levels: Levels, open_db: float, close_db: float) -> list[tuple[float, float]]:
    """Return the runs above ``close_db`` that reach ``open_db``, in seconds."""
    is_above = np.concatenate([[False], levels > close_db, [False]])
    edges = np.flatnonzero(np.diff(is_above.astype(np.int8))).reshape(-1, 2)
    return [
        (float(start * HOP_S), float(end * HOP_S))
        for start, end in edges
        if levels[start:end].max() > open_db
    ]


def _tidy(runs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Bridge short rests, then drop short bursts."""
    joined: list[tuple[float, float]] = []
    for start, end in runs:
        if joined and start - joined[-1][1] <= RULES.bridged_s:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= RULES.shortest_s - 1e-9]
