"""After which spans the onsets of a recording repeat: what a tempo is read from.

Windows of 12 s, each with an autocorrelation and a Fourier magnitude per band, averaged. The one
is strong at fractions of the tempo, the other at its multiples.

Reference: Peeters, "Template-based estimation of time-varying tempo", EURASIP 2007.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from core.analysis.onset import OnsetBands

_WINDOW_S = 12.0
_LONGEST_S = 8.0
_OVERSAMPLING = 4

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Periodicity:
    """How strongly each band repeats.

    Parameters
    ----------
    correlation : autocorrelation by lag in frames, ``(n_bands, n_lags)``, 1 at lag 0 but for
        bands without onsets (0).
    magnitude : Fourier magnitude, ``(n_bands, n_bins)``, of mean 1 from 0.5 to 10 Hz.
    frame_rate_hz : frames a second.
    bin_hz : width of a bin of `magnitude`.
    """

    correlation: _Array
    magnitude: _Array
    frame_rate_hz: float
    bin_hz: float

    def correlation_at(self, period_s: _Array) -> _Array:
        """Give the autocorrelation after spans in seconds, ``(n_bands, n)``; 0 beyond 8 s."""
        return _interpolate(self.correlation, period_s * self.frame_rate_hz)

    def magnitude_at(self, frequency_hz: _Array) -> _Array:
        """Give the Fourier magnitude at frequencies, ``(n_bands, n)``; 0 beyond Nyquist's."""
        return _interpolate(self.magnitude, frequency_hz / self.bin_hz)


def measure_periodicity(onsets: OnsetBands) -> Periodicity:
    """Average autocorrelation and Fourier magnitude over the windows of a recording."""
    rate = onsets.frame_rate_hz
    envelopes = onsets.strength
    length = min(envelopes.shape[1], round(_WINDOW_S * rate))
    size = fft.next_fast_len(_OVERSAMPLING * length, real=True)
    n_lags = min(length, round(_LONGEST_S * rate))
    taper = np.hanning(length + 2)[1:-1].astype(np.float32)
    # An unbiased autocorrelation is noise where few frames overlap: an eighth at least.
    overlaps = np.maximum(np.arange(length, length - n_lags, -1), length / 8) / length
    correlation = np.zeros((len(envelopes), n_lags))
    magnitude = np.zeros((len(envelopes), size // 2 + 1))
    for start in range(0, envelopes.shape[1] - length + 1, max(1, length // 2)):
        part = envelopes[:, start : start + length]
        part = part - part.mean(axis=1, keepdims=True)
        spectrum = fft.rfft(part, size, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        correlation += fft.irfft(power, size, axis=1)[:, :n_lags] / overlaps
        magnitude += np.abs(fft.rfft(part * taper, size, axis=1))
    bin_hz = rate / size
    audible = magnitude[:, int(0.5 / bin_hz) : int(10 / bin_hz) + 2].mean(axis=1, keepdims=True)
    return Periodicity(
        correlation=correlation / np.maximum(correlation[:, :1], 1e-9),
        magnitude=magnitude / np.maximum(audible, 1e-9),
        frame_rate_hz=rate,
        bin_hz=bin_hz,
    )


def _interpolate(table: _Array, positions: _Array) -> _Array:
    lower = np.floor(positions).astype(np.intp)
    is_inside = lower < table.shape[1] - 1
    lower = np.where(is_inside, lower, 0)
    part = positions - lower
    upper = np.minimum(lower + 1, table.shape[1] - 1)
    values: _Array = table[:, lower] * (1 - part) + table[:, upper] * part
    return np.where(is_inside, values, 0.0)
