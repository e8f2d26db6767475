"""Descriptors: one vector for the timbre, harmony and rhythm of a track or stem.

The vector has a fixed length and layout (`LAYOUT`); its numbers are centred and scaled by figures
fitted once on many recordings (`weights/descriptors.npz`, made by ``bench/train_descriptors.py``),
each block of the layout has the same weight. Compare vectors of one `VERSION` by their cosine;
those of different versions are not comparable. Gain, polarity and transposition have no effect.

References: Davis & Mermelstein, IEEE ASSP 28 (1980) (MFCC); Jiang, Lu, Zhang, Tao & Cai, "Music
type classification by spectral contrast feature", ICME 2002; Tzanetakis & Cook, "Musical genre
classification of audio signals", IEEE TSAP 10 (2002) (rhythm histogram).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from core.analysis.rhythm.activity import measure_activity
from core.analysis.spectra import BINS_PER_SEMITONE, LOWEST_MIDI, Spectra, mel_centres_hz

VERSION = "hc-1"

N_MFCC = 20
"""Coefficients of the cepstrum, the zeroth left out."""
N_OCTAVES = 5
"""Octaves of the contrast, from E1."""
N_TEMPI = 24
"""Tempi of the rhythm block, evenly spaced in octaves from 40 to 240 BPM."""
LAYOUT: Mapping[str, int] = MappingProxyType(
    {
        "mfcc_mean": N_MFCC,
        "mfcc_deviation": N_MFCC,
        "mfcc_change": N_MFCC,
        "contrast_mean": N_OCTAVES,
        "contrast_deviation": N_OCTAVES,
        "chroma": 12,
        "centroid": 2,
        "rolloff": 2,
        "flux": 3,
        "rhythm": N_TEMPI,
    }
)
"""Blocks in their order, with their lengths. MFCC: without the zeroth, which is level. Contrast:
peak over valley of each octave from E1, dB. Chroma: mean strength of the pitch classes, from the
strongest on. Centroid and 85 % roll-off: mean and deviation, octaves above 100 Hz. Flux: mean,
deviation, share of the bass. Rhythm: how strongly onsets repeat, from 40 to 240 BPM."""
N_DESCRIPTORS = sum(LAYOUT.values())

_BLOCK_FRAMES = 8192  # bounds memory; the result does not depend on it

_Array = NDArray[np.float64]
Descriptors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DescriptorRules:
    """How the numbers of the vector are measured.

    Parameters
    ----------
    floor_db : floor of all levels relative to the peak, in dB.
    heard : ratio to that floor from which the loudest band of a frame counts as heard.
    rolloff : share of a frame's power below the roll-off frequency.
    contrast_share : share of an octave's bins that make its peak, and its valley (Jiang et al.).
    slowest_bpm : slowest tempo of the rhythm block.
    tempo_ratio : ratio of the fastest tempo to the slowest; 240 BPM.
    window_s : length in seconds of the windows of the rhythm block.

    Nothing was tuned; a change of any value needs a new `VERSION` and new weights
    (bench.train_descriptors).
    """

    floor_db: float = -80.0
    heard: float = 2.0
    rolloff: float = 0.85
    contrast_share: float = 0.2
    slowest_bpm: float = 40.0
    tempo_ratio: float = 6.0
    window_s: float = 12.0


RULES = DescriptorRules()
_TEMPI_BPM = RULES.slowest_bpm * RULES.tempo_ratio ** (np.arange(N_TEMPI) / (N_TEMPI - 1))


def describe_sound(spectra: Spectra) -> Descriptors:
    """Describe a track or a stem.

    Returns
    -------
    float32 ``(N_DESCRIPTORS,)``. Silence and no samples give zeros, which resemble no track.
    """
    if spectra.is_silent:
        return np.zeros(N_DESCRIPTORS, dtype=np.float32)
    centre, scale = _scaling()
    return ((measure_descriptors(spectra) - centre) / scale).astype(np.float32)


def measure_descriptors(spectra: Spectra) -> _Array:
    """Measure the vector before scaling, ``(N_DESCRIPTORS,)``; not defined for silence."""
    activity = measure_activity(spectra)
    low_share = activity.low_flux.mean() / max(activity.flux.mean(), 1e-9)
    blocks = {
        **_measure_timbre(spectra),
        **_measure_pitches(spectra),
        "flux": np.array([activity.flux.mean(), activity.flux.std(), low_share]),
        "rhythm": _measure_rhythm(activity.flux, spectra.mel_rate_hz),
    }
    return np.concatenate([blocks[name] for name in LAYOUT])


@lru_cache(1)
def _scaling() -> tuple[_Array, _Array]:
    """Return centre and scale of every number, ``(N_DESCRIPTORS,)`` each."""
    with (
        files("core.analysis.weights").joinpath("descriptors.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        return stored["centre"].astype(np.float64), stored["scale"].astype(np.float64)


class _Moments:
    """Weighted mean and standard deviation of rows, accumulated block by block."""

    def __init__(self, width: int) -> None:
        self._weight = 0.0
        self._sum = np.zeros(width)
        self._squares = np.zeros(width)

    def add(self, rows: NDArray[np.floating], weights: _Array) -> None:
        self._weight += float(weights.sum())
        self._sum += weights @ rows
        self._squares += weights @ np.square(rows)

    def result(self) -> tuple[_Array, _Array]:
        mean = self._sum / max(self._weight, 1e-12)
        variance = self._squares / max(self._weight, 1e-12) - mean**2
        return mean, np.sqrt(np.maximum(variance, 0))


def _measure_timbre(spectra: Spectra) -> dict[str, _Array]:
    """Measure MFCC, centroid and roll-off over the frames that are not silent."""
    octaves = np.log2(mel_centres_hz() / 100)
    mfcc, change, shape = _Moments(N_MFCC), _Moments(N_MFCC), _Moments(2)
    floor = np.float32(spectra.peak * 10 ** (RULES.floor_db / 20))
    for start in range(0, len(spectra.mel), _BLOCK_FRAMES):
        mel = np.maximum(spectra.mel[start : start + _BLOCK_FRAMES], floor)
        is_heard = (mel.max(axis=1) > RULES.heard * floor).astype(np.float64)
        cepstrum = fft.dct(20 * np.log10(mel), axis=1, norm="ortho")[:, 1 : N_MFCC + 1]
        mfcc.add(cepstrum, is_heard)
        change.add(np.diff(cepstrum, axis=0), is_heard[1:])
        cumulative = np.cumsum(np.square(mel), axis=1)
        rolloff = (cumulative < RULES.rolloff * cumulative[:, -1:]).sum(axis=1)
        centroid = mel @ octaves.astype(np.float32) / mel.sum(axis=1)
        shape.add(np.stack([centroid, octaves[rolloff]], axis=1), is_heard)
    mean, deviation = mfcc.result()
    shape_mean, shape_deviation = shape.result()
    return {
        "mfcc_mean": mean,
        "mfcc_deviation": deviation,
        "mfcc_change": change.result()[1],
        "centroid": np.array([shape_mean[0], shape_deviation[0]]),
        "rolloff": np.array([shape_mean[1], shape_deviation[1]]),
    }


def _measure_pitches(spectra: Spectra) -> dict[str, _Array]:
    """Measure contrast by octave, and the chroma rotated so that its strongest class is first."""
    width = 12 * BINS_PER_SEMITONE
    floor = spectra.peak * 10 ** (RULES.floor_db / 20)
    levels = 20 * np.log10(np.maximum(spectra.pitches, floor))
    n_extreme = max(1, round(RULES.contrast_share * width))
    contrast = np.zeros((len(levels), N_OCTAVES))
    for octave in range(N_OCTAVES):
        ranked = np.sort(levels[:, octave * width : (octave + 1) * width], axis=1)
        contrast[:, octave] = ranked[:, -n_extreme:].mean(axis=1) - ranked[:, :n_extreme].mean(
            axis=1
        )
    mean = spectra.pitches.mean(axis=0, dtype=np.float64)
    classes = (LOWEST_MIDI + np.arange(len(mean)) // BINS_PER_SEMITONE) % 12
    chroma = np.bincount(classes, weights=mean, minlength=12)
    chroma = (chroma - chroma.min()) / max(float(np.ptp(chroma)), 1e-12)
    return {
        "contrast_mean": contrast.mean(axis=0),
        "contrast_deviation": contrast.std(axis=0),
        "chroma": np.roll(chroma, -int(chroma.argmax())),
    }


def _measure_rhythm(flux: _Array, frame_rate_hz: float) -> _Array:
    """Return the autocorrelation of the onsets at `_TEMPI_BPM`, averaged over windows of 12 s."""
    length = min(len(flux), round(RULES.window_s * frame_rate_hz))
    size = 2 * fft.next_fast_len(length)
    lags = 60 / _TEMPI_BPM * frame_rate_hz
    total = np.zeros(N_TEMPI)
    for start in range(0, len(flux) - length + 1, max(1, length // 2)):
        part = flux[start : start + length] - flux[start : start + length].mean()
        products = fft.irfft(np.abs(fft.rfft(part, size)) ** 2)[:length]
        total += np.interp(lags, np.arange(length), products, right=0.0) / max(products[0], 1e-12)
    return total / max(1, 1 + (len(flux) - length) // max(1, length // 2))
