"""Where somebody sings: the level of the vocal stem, gated with hysteresis.

A passage begins where the stem rises above the upper threshold and lasts while it stays above the
lower one; short rests are bridged and short bursts dropped. Thresholds lie below the stem's own
singing level, and that counts only where it comes near the level of the mixture: what a separator
leaks into the vocal stem of an instrumental is far below it.

Conventions: levels are dB relative to full scale, one a `HOP_S`; intervals are ``(start, end)`` in
seconds, ascending, apart from one another.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOP_S = 0.05
INSTRUMENTAL_RATIO = 0.05
"""Share of sung time below which a recording counts as instrumental."""

_SILENCE_DB = -120.0
_OPEN_DB = -16.0  # relative to the stem's own singing level
_HYSTERESIS_DB = 8.0
_LEAKAGE_DB = -20.0  # relative to the mixture: what stays below is no singing
_SURE_DB = -6.0  # relative to the mixture: from here on nobody doubts it
_BRIDGED_S = 0.35
_SHORTEST_S = 0.30
_LOUD_PERCENTILE = 95

Levels = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VocalActivity:
    """Where somebody sings.

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
        """Whether hardly anybody sings."""
        return self.ratio < INSTRUMENTAL_RATIO


def measure_levels(blocks: Iterable[NDArray[np.float32]], sample_rate: int) -> Levels:
    """Give the RMS level of every 50 ms, in dBFS, −120 for silence.

    Parameters
    ----------
    blocks : float32 ``(n_channels, n)``, in order.
    sample_rate : in Hz.

    Returns
    -------
    float64 ``(n,)``, value ``i`` that of the span from ``i * HOP_S`` on, to the nearest sample; a
    last, shorter span counts as one. No samples: none.
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
    vocals_db, mixture_db : levels of the vocal stem and of the mixture, as `measure_levels` gives
        them, of the same length.
    duration_s : of the recording; no passage ends later.

    Returns
    -------
    The passages. Silence, and a stem that is all leakage, give none.
    """
    if not vocals_db.size or float(vocals_db.max()) <= _SILENCE_DB:
        return VocalActivity()
    loud_vocals, loud_mixture = _loud_level(vocals_db), _loud_level(mixture_db)
    open_db = max(loud_vocals + _OPEN_DB, loud_mixture + _LEAKAGE_DB)
    runs = _gate(vocals_db, open_db, open_db - _HYSTERESIS_DB)
    passages = _tidy([(start, min(end, duration_s)) for start, end in runs])
    margin_db = loud_vocals - loud_mixture
    sung_s = sum(end - start for start, end in passages)
    doubt = np.clip((margin_db - _LEAKAGE_DB) / (_SURE_DB - _LEAKAGE_DB), 0, 1)
    # A stem far below the mixture is surely empty; one that is near it is surely sung.
    confidence = float(doubt) if passages else 1 - float(doubt) / 2
    return VocalActivity(tuple(passages), min(1.0, float(sung_s / duration_s)), confidence)


def _loud_level(levels: Levels) -> float:
    """Give the level that the loud parts reach: a high percentile of what is no silence."""
    sounding = levels[levels > _SILENCE_DB]
    return float(np.percentile(sounding, _LOUD_PERCENTILE)) if sounding.size else _SILENCE_DB


def _gate(levels: Levels, open_db: float, close_db: float) -> list[tuple[float, float]]:
    """Give the runs above ``close_db`` that reach ``open_db``, in seconds."""
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
        if joined and start - joined[-1][1] <= _BRIDGED_S:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= _SHORTEST_S - 1e-9]
