"""Distortion measures of separated stems, in decibels.

Conventions: a signal is an array ``(n_channels, n_samples)``; larger is better; NaN for a silent
true stem.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating]


def sdr_db(true: Signal, estimate: Signal) -> float:
    """Return the signal-to-error ratio over all channels.

    Reference: Mitsufuji et al., "Music Demixing Challenge 2021", Frontiers in Signal Processing,
    2022, eq. 1.
    """
    return _ratio_db(true, true.astype(np.float64) - estimate)


def si_sdr_db(true: Signal, estimate: Signal) -> float:
    """Return the scale-invariant SDR.

    Reference: Le Roux et al., "SDR – Half-baked or Well Done?", ICASSP 2019, eq. 4.
    """
    exact = true.astype(np.float64)
    energy = float(np.square(exact).sum())
    if not energy:
        return float("nan")
    target = exact * (float((exact * estimate).sum()) / energy)
    return _ratio_db(target, target - estimate)


def bss_eval_db(
    true: Sequence[Signal], estimates: Sequence[Signal], sample_rate: int
) -> list[float] | None:
    """Return the median SDR of BSS Eval v4 over windows of 1 s by stem; None without museval.

    Windows in which a true stem or an estimate is silent are ignored.

    Reference: Stöter, Liutkus, Ito, "The 2018 Signal Separation Evaluation Campaign", LVA/ICA 2018.
    """
    try:
        import museval
    except ImportError:
        return None
    stacked = [np.stack([signal.T for signal in signals]) for signals in (true, estimates)]
    if not all(np.any(signal) for signals in stacked for signal in signals):
        return [float("nan")] * len(true)
    frames = museval.evaluate(*stacked, win=sample_rate, hop=sample_rate, mode="v4")[0]
    return [float(np.nanmedian(row)) for row in frames]


def null_db(mixture: Signal, stems: Sequence[Signal]) -> float:
    """Return the level of the mixture over that of the mixture minus the stems."""
    rest = mixture.astype(np.float64)
    for stem in stems:
        rest = rest - stem
    return _ratio_db(mixture, rest)


def _ratio_db(signal: Signal, error: Signal) -> float:
    powers = [float(np.square(part, dtype=np.float64).sum()) for part in (signal, error)]
    if not powers[0]:
        return float("nan")
    return float("inf") if not powers[1] else float(10 * np.log10(powers[0] / powers[1]))
