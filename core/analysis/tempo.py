"""How fast a recording is: tempo, its alternatives, and the beats.

The way: onset envelope → for each tempo the product of autocorrelation, Fourier magnitude and a
prior for how fast music is (the level: 87 or 174) → one long Fourier transform around the winner
(the exact value) → beats (`core.analysis.beats`).

References: Ellis, "Beat tracking by dynamic programming", JNMR 36 (2007) (the prior); Peeters,
"Template-based estimation of time-varying tempo", EURASIP 2007 (autocorrelation times Fourier: the
one is strong at fractions of the tempo, the other at multiples, the product at the tempo).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.signal import zoom_fft

from core.analysis.beats import track_beats
from core.analysis.downbeats import find_downbeats
from core.analysis.onset import onset_envelope, sharpen
from core.analysis.signal import Mono, is_silent

ALTERNATIVE_RATIOS = (2.0, 1 / 2, 3 / 2, 2 / 3)
PRIOR_TEMPO_BPM = 130.0
PRIOR_OCTAVES = 0.6

_GRID_BPM = 45.0 * 1.004 ** np.arange(415)  # to 235 BPM
# A tempo is clear when the music repeats after one beat, after two and after a bar; the longer
# spans tell a beat from three quarters of one.
_BEATS = np.array([1, 2, 4])
_BEAT_WEIGHTS = np.array([0.5, 0.25, 0.25])
_WINDOW_S = 12.0
_MIN_CLARITY = 0.02
_SEARCH = 0.035

_Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TempoCandidate:
    """Another tempo that the beat could be felt at; ``score`` is relative to the chosen one's 1."""

    tempo_bpm: float
    score: float


@dataclass(frozen=True, slots=True)
class TempoEstimate:
    """Tempo and beats of a recording.

    Parameters
    ----------
    tempo_bpm : 0.0 where there is none: silence, no repeating onsets, shorter than two beats.
    confidence : 0 to 1.
    alternatives : twice, half, three halves and two thirds of the tempo, best first.
    beats_s, downbeats_s : times in seconds, ascending, inside the recording; every downbeat is a
        beat, and bars of four beats are assumed.
    is_steady : whether one tempo holds throughout, so that the beats form an even grid.
    """

    tempo_bpm: float = 0.0
    confidence: float = 0.0
    alternatives: tuple[TempoCandidate, ...] = field(default=())
    beats_s: tuple[float, ...] = field(default=())
    downbeats_s: tuple[float, ...] = field(default=())
    is_steady: bool = False


def estimate_tempo(
    mono: Mono, sample_rate: int, *, tempo_range_bpm: tuple[float, float] = (70.0, 180.0)
) -> TempoEstimate:
    """Estimate the tempo and find the beats.

    Parameters
    ----------
    mono : float32 ``(n_samples,)``; see `core.analysis.signal`.
    sample_rate : in Hz.
    tempo_range_bpm : the tempo is doubled or halved into this range; where the range is less than
        an octave and cannot hold it, it stays as near above as it gets.

    Returns
    -------
    The estimate; a steady tempo is exact to about 0.1 BPM from 10 s on. Silence, one sample and
    anything shorter than two beats give 0.0 BPM, no beats and no confidence.

    Raises
    ------
    ValueError : the range is empty or reaches to zero.
    """
    lowest_bpm, highest_bpm = tempo_range_bpm
    if not 0 < lowest_bpm < highest_bpm:
        raise ValueError(f"not a tempo range: {tempo_range_bpm}")
    if is_silent(mono):
        return TempoEstimate()
    onsets = onset_envelope(mono, sample_rate)
    envelope = sharpen(onsets.strength, onsets.frame_rate_hz)
    clarity, scores = _rate_tempi(envelope, onsets.frame_rate_hz)
    best = int(np.argmax(scores))
    tempo_bpm = _fold(float(_GRID_BPM[best]), lowest_bpm, highest_bpm)
    duration_s = len(mono) / sample_rate
    if clarity[best] < _MIN_CLARITY or duration_s < 2 * 60 / tempo_bpm:
        return TempoEstimate()
    tempo_bpm = _refine(envelope, onsets.frame_rate_hz, tempo_bpm)
    beats = track_beats(onsets, tempo_bpm, duration_s)
    return TempoEstimate(
        tempo_bpm=beats.tempo_bpm,
        confidence=_rate_confidence(clarity, scores),
        alternatives=_list_alternatives(scores, beats.tempo_bpm),
        beats_s=beats.beats_s,
        downbeats_s=find_downbeats(mono, sample_rate, onsets, beats.beats_s),
        is_steady=beats.is_steady,
    )


def _rate_tempi(envelope: _Curve, frame_rate_hz: float) -> tuple[_Curve, _Curve]:
    """Give clarity (autocorrelation, up to 1) and score of every tempo of the grid."""
    length = min(len(envelope), round(_WINDOW_S * frame_rate_hz))
    size = 4 * fft.next_fast_len(length)
    window = np.hanning(length + 2)[1:-1]
    overlaps = np.arange(length, 0, -1)
    lags = np.outer(_BEATS, 60 / _GRID_BPM * frame_rate_hz)
    bins = _GRID_BPM / 60 / frame_rate_hz * size
    correlation, magnitude = np.zeros(lags.shape), np.zeros(len(_GRID_BPM))
    for start in range(0, len(envelope) - length + 1, max(1, length // 2)):
        part = envelope[start : start + length]
        centred = part - part.mean()
        # An unbiased autocorrelation is noise where few frames overlap: an eighth at least.
        products = fft.irfft(np.abs(fft.rfft(centred, size)) ** 2)[:length]
        products = products / np.maximum(overlaps, length / 8)
        correlation += np.interp(lags, np.arange(length), products, right=0.0)
        spectrum = np.abs(fft.rfft(centred * window, size))
        magnitude += np.interp(bins, np.arange(len(spectrum)), spectrum)
    total = float(np.var(envelope)) * max(1, 1 + (len(envelope) - length) // max(1, length // 2))
    correlation /= max(total, 1e-12)
    clarity = np.clip(_BEAT_WEIGHTS @ correlation, 0, 1)
    # Two lone onsets repeat after some span; a beat repeats after one beat.
    clarity[correlation[0] < _MIN_CLARITY] = 0
    prior = np.exp(-0.5 * (np.log2(_GRID_BPM / PRIOR_TEMPO_BPM) / PRIOR_OCTAVES) ** 2)
    return clarity, np.sqrt(clarity) * magnitude * prior


def _fold(tempo_bpm: float, lowest_bpm: float, highest_bpm: float) -> float:
    while tempo_bpm > highest_bpm:
        tempo_bpm /= 2
    while tempo_bpm < lowest_bpm:
        tempo_bpm *= 2
    return tempo_bpm


def _refine(envelope: _Curve, frame_rate_hz: float, tempo_bpm: float) -> float:
    """Find the tempo at which the whole envelope, its second and fourth harmonic add up most."""
    duration_s = len(envelope) / frame_rate_hz
    n_points = int(np.clip(32 * tempo_bpm / 60 * 2 * _SEARCH * duration_s, 64, 20_000))
    total = np.zeros(n_points)
    for harmonic, weight in ((1, 1.0), (2, 0.7), (4, 0.5)):
        middle_hz = harmonic * tempo_bpm / 60
        band = (middle_hz * (1 - _SEARCH), min(middle_hz * (1 + _SEARCH), frame_rate_hz / 2))
        centred = envelope - envelope.mean()
        total += weight * np.abs(zoom_fft(centred, band, n_points, fs=frame_rate_hz, endpoint=True))
    return float(tempo_bpm * np.linspace(1 - _SEARCH, 1 + _SEARCH, n_points)[total.argmax()])


def _rate_confidence(clarity: _Curve, scores: _Curve) -> float:
    """Tell how clear the pulse is, and how far its tempo leads over unrelated ones."""
    best = int(np.argmax(scores))
    is_other = np.abs(np.log2(_GRID_BPM / _GRID_BPM[best])) > 0.08
    lead = 1 - float(scores[is_other].max()) / float(scores[best])
    return float(np.clip(np.sqrt(clarity[best]) * (1 + lead) / 2, 0, 1))


def _list_alternatives(scores: _Curve, tempo_bpm: float) -> tuple[TempoCandidate, ...]:
    chosen = _score_near(scores, tempo_bpm)
    candidates = [
        TempoCandidate(
            tempo_bpm * ratio, min(1.0, _score_near(scores, tempo_bpm * ratio) / max(chosen, 1e-12))
        )
        for ratio in ALTERNATIVE_RATIOS
    ]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.score))


def _score_near(scores: _Curve, tempo_bpm: float) -> float:
    """Give the best score within 2 %; 0 outside the grid."""
    return float(scores[np.abs(_GRID_BPM / tempo_bpm - 1) < 0.02].max(initial=0.0))
