"""Chroma: the strength of the pitch classes over time, the basis of keys and chords.

Data flow: magnitudes of thirds of semitones (`core.analysis.spectra`) → logarithm → minus the mean
of an octave (whitening removes the spectral tilt of a timbre) → sustained tones instead of attacks
(a soft mask of medians over time and over pitch) → tuned → twelve pitch classes.

References: Gómez, "Tonal description of music audio signals", PhD thesis, UPF 2006; Müller &
Ewert, "Chroma Toolbox", ISMIR 2011 (logarithmic compression); Fitzgerald, "Harmonic/percussive
separation using median filtering", DAFx 2010 (the mask).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from core.analysis.harmony.network import HeardHarmony, hear_harmony
from core.analysis.spectra import (
    BINS_PER_SEMITONE,
    LOWEST_MIDI,
    Spectra,
)

HIGHEST_PITCH = 84
"""C6, 1047 Hz, as MIDI pitch: above it there are more overtones than notes."""

_FRAMES_AT_ONCE = 1024  # bounds memory; the result does not depend on it

_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ChromaRules:
    """What counts as pitch.

    Parameters
    ----------
    compression : magnitudes m become log(1 + compression * m / peak) (Müller & Ewert).
    lasting_frames : length of the median over time that keeps what lasts: 1.3 s.
    struck_bins : length of the median over thirds of semitones that keeps what is struck: half an
        octave.
    floor : whitened logarithm below which the rounding of a flat spectrum would count as pitch.

    Other compressions and ranges of pitch were tried on recordings and did not help
    (docs/analysis.md, Key). No benchmark of the lengths is recorded.
    """

    compression: float = 1000.0
    lasting_frames: int = 7
    struck_bins: int = 19
    floor: float = 0.01


RULES = ChromaRules()


@dataclass(frozen=True)
class Chroma:
    """Strength of the pitch classes C … B in every frame of ``Spectra.pitches``.

    Parameters
    ----------
    duration_s : of the recording.
    tuning_cents : as in its spectra; the pitch classes are tuned by it.
    full : from all bands, ``(n_frames, 12)``, at least 0.
    peaks : the same from spectral peaks alone.
    bass : the same from the bands up to B2, 123 Hz.
    pitches : the same before the octaves are summed, from E1 to C6, ``(n_frames, 57)``.
    """

    duration_s: float
    tuning_cents: float
    full: _Matrix
    peaks: _Matrix
    bass: _Matrix
    pitches: _Matrix

    @cached_property
    def harmony(self) -> HeardHarmony:
        """What the network hears in `pitches`; see `hear_harmony`."""
        return hear_harmony(self.pitches)


def measure_chroma(spectra: Spectra) -> Chroma:
    """Fold the spectra into pitch classes; zeros for silence and without pitch."""
    n_frames = len(spectra.pitches)
    full, peaks, bass = (np.zeros((n_frames, 12), dtype=np.float32) for _ in range(3))
    pitches = np.zeros((n_frames, HIGHEST_PITCH - LOWEST_MIDI + 1), dtype=np.float32)
    chroma = Chroma(spectra.duration_s, spectra.tuning_cents, full, peaks, bass, pitches)
    if spectra.is_silent:
        return chroma
    # In parts, so that a mix of three hours is not copied as a whole.
    for start in range(0, n_frames, _FRAMES_AT_ONCE):
        part = slice(start, min(start + _FRAMES_AT_ONCE, n_frames))
        bands = _harmonic_bands(spectra, part)
        is_peak = (bands >= np.roll(bands, 1, axis=1)) & (bands >= np.roll(bands, -1, axis=1))
        pitches[part] = _tune(bands, spectra.tuning_cents)
        full[part] = _fold(pitches[part])
        peaks[part] = _fold(_tune(np.where(is_peak, bands, 0), spectra.tuning_cents))
        bass[part] = _fold(pitches[part, : 48 - LOWEST_MIDI])
    return chroma


def _harmonic_bands(spectra: Spectra, part: slice) -> _Matrix:
    """Return the sustained part of each third of a semitone, whitened, ``(n_frames, n_bands)``."""
    n_bands = (HIGHEST_PITCH - LOWEST_MIDI + 1) * BINS_PER_SEMITONE
    context = min(part.start, RULES.lasting_frames // 2)
    around = spectra.pitches[part.start - context : part.stop + RULES.lasting_frames // 2, :n_bands]
    inside = slice(context, context + part.stop - part.start)
    lasting = _running_median(around, RULES.lasting_frames, axis=0)[inside] ** 2
    magnitudes = around[inside]
    struck = _running_median(magnitudes, RULES.struck_bins, axis=1) ** 2
    levels = np.log1p(np.float32(RULES.compression / spectra.peak) * magnitudes)
    white = levels - uniform_filter1d(levels, 12 * BINS_PER_SEMITONE, axis=1)
    white[white < RULES.floor] = 0
    masked: _Matrix = white * (lasting / np.maximum(lasting + struck, np.float32(1e-30)))
    return masked


def _running_median(values: _Matrix, size: int, *, axis: int) -> _Matrix:
    """Return the running median of ``size`` (odd) values; edge values are repeated.

    Equals scipy's ``median_filter`` in a third of its time.
    """
    half = size // 2
    padding = [(half, half) if dimension == axis else (0, 0) for dimension in range(values.ndim)]
    around = np.lib.stride_tricks.sliding_window_view(np.pad(values, padding, "edge"), size, axis)
    medians: _Matrix = np.partition(around, half, axis=-1)[..., half]
    return medians


def _tune(bands: _Matrix, tuning_cents: float) -> _Matrix:
    """Sum the bands around each pitch of the recording's tuning, ``(n_frames, n_pitches)``."""
    n_bands = bands.shape[1]
    moved = np.arange(n_bands) + tuning_cents / 100 * BINS_PER_SEMITONE
    lower = np.clip(np.floor(moved).astype(np.intp), 0, n_bands - 2)
    part = np.clip(moved - lower, 0, 1).astype(np.float32)
    tuned = bands[:, lower] * (1 - part) + bands[:, lower + 1] * part
    around = np.array([0.5, 1.0, 0.5], dtype=np.float32)
    pitches: _Matrix = tuned.reshape(len(tuned), -1, BINS_PER_SEMITONE) @ around
    return pitches


def _fold(pitches: _Matrix) -> _Matrix:
    """Sum the octaves, ``(n_frames, 12)``."""
    first_c = -LOWEST_MIDI % 12
    padded = np.pad(pitches, ((0, 0), (12 - first_c, -(pitches.shape[1] + 12 - first_c) % 12)))
    frames: _Matrix = padded.reshape(len(padded), -1, 12).sum(axis=1)
    return frames
