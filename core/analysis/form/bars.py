"""Features of bars: mean spectrum, pitch classes, level and bass."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.flux import LOW_BANDS
from core.analysis.spectra import BINS_PER_SEMITONE, LOWEST_MIDI, Spectra

_FLOOR = 1e-3  # floor of the mel levels relative to the largest: -60 dB
_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BarFeatures:
    """Features of bars, one row for each.

    Parameters
    ----------
    edges_s : ``(n_bars + 1,)``, the bar lines.
    timbre : ``(n_bars, 40)``, mean level of each mel band, dB below the peak.
    chroma : ``(n_bars, 12)``, unit length, zeros for silence.
    level_db : ``(n_bars,)``, dB below the loudest bar.
    low_db : the same for kick drum and bass.
    onsets : ``(n_bars,)``, mean onset strength at peak level 1, mostly that of drums.
    """

    edges_s: _Array
    timbre: _Array
    chroma: _Array
    level_db: _Array
    low_db: _Array
    onsets: _Array

    def __len__(self) -> int:
        return len(self.level_db)


def measure_bars(spectra: Spectra, edges_s: _Array) -> BarFeatures:
    """Average the spectra over bars; ``edges_s`` has shape ``(n_bars + 1,)``, n_bars at least 1."""
    scale = max(spectra.peak, 1e-9)
    mel = _mean_between(spectra.mel, edges_s * spectra.mel_rate_hz) / scale
    pitches = _mean_between(spectra.pitches, edges_s * spectra.pitch_rate_hz)
    power = np.square(mel)
    return BarFeatures(
        edges_s=edges_s,
        timbre=20 * np.log10(np.maximum(mel, _FLOOR * mel.max(initial=1e-9))),
        chroma=_fold(pitches),
        level_db=_below_loudest(power.mean(axis=1)),
        low_db=_below_loudest(power[:, :LOW_BANDS].mean(axis=1)),
        onsets=_mean_between(spectra.flux[:1].T, edges_s * spectra.mel_rate_hz)[:, 0],
    )


def _mean_between(frames: NDArray[np.float32], edges: _Array) -> _Array:
    """Average rows between fractional positions; each span covers at least one row."""
    starts = np.clip(np.rint(edges[:-1]).astype(np.intp), 0, len(frames) - 1)
    ends = np.clip(np.rint(edges[1:]).astype(np.intp), starts + 1, len(frames))
    means = [frames[a:b].mean(axis=0) for a, b in zip(starts, ends, strict=True)]
    return np.array(means, dtype=np.float64)


def _fold(pitches: _Array) -> _Array:
    """Add up thirds of semitones to pitch classes from C, each row of unit length."""
    classes = (LOWEST_MIDI + np.arange(pitches.shape[1]) // BINS_PER_SEMITONE) % 12
    chroma = np.stack([pitches[:, classes == c].sum(axis=1) for c in range(12)], axis=1)
    chroma -= chroma.min(axis=1, keepdims=True)
    return np.asarray(chroma / np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), 1e-12))


def _below_loudest(power: _Array) -> _Array:
    loudest = max(float(power.max()), 1e-20)
    return np.asarray(10 * np.log10(np.maximum(power / loudest, 1e-8)))
