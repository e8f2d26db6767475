"""Periodicity of the onsets, from which the tempo is estimated.

Autocorrelation and Fourier magnitude of each band, averaged over windows of 12 s: the former is
strong at fractions of the tempo, the latter at its multiples. In windows of 4 s phases are
compared: the beat keeps its phase from bar to bar, two thirds of its frequency do not.

Reference: Peeters, "Template-based estimation of time-varying tempo", EURASIP 2007.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from core.analysis.rhythm.onset import OnsetBands

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PeriodicityRules:
    """In which windows repetition is measured.

    Parameters
    ----------
    window_s : length in seconds of the windows of autocorrelation and Fourier magnitude: six bars
        at 120 BPM.
    longest_s : longest span in seconds at which repetition is known: four beats of 30 BPM.
    padding : factor of zero padding before a Fourier transform.
    least_overlap : the autocorrelation is divided by one n-th of a window at least: where few
        frames overlap it is noise.
    levelled_hz : band whose mean magnitude is 1.
    pulse_window_s : length in seconds of the windows whose phases are compared.
    pulse_hop_s : seconds from one of these windows to the next.
    pulse_span : windows over which phases are compared: 42 s, so that a long recording may change
        its tempo.
    pulse_highest_hz : highest frequency whose phase is known; the double of the fastest candidate,
        250 BPM, lies at 8.3 Hz.
    turn_padding : factor of zero padding when the turn of a phase from window to window is
        searched.
    detuned : relative distance of the coherent frequency from the one asked for, at most.

    bench.train_rhythm trains the weights of the level on what these windows give;
    bench.tempo_validation checks them on recordings. No benchmark of single values is recorded.
    """

    window_s: float = 12.0
    longest_s: float = 8.0
    padding: int = 4
    least_overlap: int = 8
    levelled_hz: tuple[float, float] = (0.5, 10.0)
    pulse_window_s: float = 4.0
    pulse_hop_s: float = 2.0
    pulse_span: int = 20
    pulse_highest_hz: float = 18.0
    turn_padding: int = 8
    detuned: float = 0.01


RULES = PeriodicityRules()


@dataclass(frozen=True, slots=True)
class Periodicity:
    """Periodicity of each band.

    Parameters
    ----------
    correlation : autocorrelation by lag in frames, ``(n_bands, n_lags)``, 1 at lag 0; 0 for bands
        without onsets.
    magnitude : Fourier magnitude, ``(n_bands, n_bins)``, of mean 1 from 0.5 to 10 Hz.
    frame_rate_hz : frames a second.
    bin_hz : width of a bin of `magnitude`.
    pulses : Fourier coefficients of all and the low bands together in windows of 4 s, 2 s apart,
        ``(n_windows, n_bins)``, phases counted from the start of the recording.
    pulse_bin_hz : width of a bin of `pulses`.
    """

    correlation: _Array
    magnitude: _Array
    frame_rate_hz: float
    bin_hz: float
    pulses: NDArray[np.complex64]
    pulse_bin_hz: float

    def correlation_at(self, period_s: _Array) -> _Array:
        """Return the autocorrelation at lags in seconds, ``(n_bands, n)``; 0 beyond 8 s."""
        return _interpolate(self.correlation, period_s * self.frame_rate_hz)

    def magnitude_at(self, frequency_hz: _Array) -> _Array:
        """Return the Fourier magnitude at frequencies, ``(n_bands, n)``; 0 beyond Nyquist."""
        return _interpolate(self.magnitude, frequency_hz / self.bin_hz)

    def coherence_at(self, frequency_hz: _Array) -> _Array:
        """Return the share of a frequency's strength in one phase over 42 s, ``(n,)``, 0 to 1.

        0 above 18 Hz; 1 for recordings shorter than three windows.
        """
        if len(self.pulses) < 3:
            return np.ones(len(frequency_hz))
        bins = np.rint(frequency_hz / self.pulse_bin_hz).astype(np.intp)
        is_known = bins < self.pulses.shape[1]
        bins = np.where(is_known, bins, 0)
        size = RULES.turn_padding * min(len(self.pulses), RULES.pulse_span)
        # The phase of a frequency beside the bin's centre turns from window to window.
        beside_hz = np.fft.fftfreq(size, RULES.pulse_hop_s) + bins[:, None] * self.pulse_bin_hz
        reach_hz = np.maximum(RULES.detuned * frequency_hz, 0.5 / (size * RULES.pulse_hop_s))
        is_near = np.abs(beside_hz - frequency_hz[:, None]) <= reach_hz[:, None]
        together, level = np.zeros(len(bins)), np.full(len(bins), 1e-12)
        for start in range(0, len(self.pulses), RULES.pulse_span):
            part = self.pulses[start : start + RULES.pulse_span, bins]
            if start and len(part) < RULES.pulse_span // 2:
                break
            turned = np.abs(np.fft.fft(part, size, axis=0)).T
            together += np.where(is_near, turned, 0.0).max(axis=1)
            level += np.abs(part).sum(axis=0)
        return np.where(is_known, together / level, 0.0)


def measure_periodicity(onsets: OnsetBands) -> Periodicity:
    """Average autocorrelation and Fourier magnitude over the windows of a recording."""
    rate = onsets.frame_rate_hz
    envelopes = onsets.strength
    length = min(envelopes.shape[1], round(RULES.window_s * rate))
    size = fft.next_fast_len(RULES.padding * length, real=True)
    n_lags = min(length, round(RULES.longest_s * rate))
    lag_size = fft.next_fast_len(length + n_lags, real=True)
    taper = np.hanning(length + 2)[1:-1].astype(np.float32)
    # An unbiased autocorrelation is noise where few frames overlap: an eighth at least.
    overlaps = (
        np.maximum(np.arange(length, length - n_lags, -1), length / RULES.least_overlap) / length
    )
    correlation = np.zeros((len(envelopes), n_lags))
    magnitude = np.zeros((len(envelopes), size // 2 + 1))
    for start in range(0, envelopes.shape[1] - length + 1, max(1, length // 2)):
        part = envelopes[:, start : start + length]
        part = part - part.mean(axis=1, keepdims=True)
        spectrum = fft.rfft(part, lag_size, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        correlation += fft.irfft(power, lag_size, axis=1)[:, :n_lags] / overlaps
        magnitude += np.abs(fft.rfft(part * taper, size, axis=1))
    bin_hz = rate / size
    pulses, pulse_bin_hz = _measure_pulses(envelopes[0] + envelopes[1], rate)
    low, high = (int(hz / bin_hz) for hz in RULES.levelled_hz)
    audible = magnitude[:, low : high + 2].mean(axis=1, keepdims=True)
    return Periodicity(
        correlation=correlation / np.maximum(correlation[:, :1], 1e-9),
        magnitude=magnitude / np.maximum(audible, 1e-9),
        frame_rate_hz=rate,
        bin_hz=bin_hz,
        pulses=pulses,
        pulse_bin_hz=pulse_bin_hz,
    )


def _measure_pulses(
    envelope: NDArray[np.float32], frame_rate_hz: float
) -> tuple[NDArray[np.complex64], float]:
    frames, hop = (
        round(span_s * frame_rate_hz) for span_s in (RULES.pulse_window_s, RULES.pulse_hop_s)
    )
    size = fft.next_fast_len(RULES.padding * frames, real=True)
    bin_hz = frame_rate_hz / size
    n_bins = int(RULES.pulse_highest_hz / bin_hz)
    if len(envelope) < frames:
        return np.zeros((0, n_bins), dtype=np.complex64), bin_hz
    parts = np.lib.stride_tricks.sliding_window_view(envelope - envelope.mean(), frames)[::hop]
    taper = np.hanning(frames + 2)[1:-1]
    pulses = np.empty((len(parts), n_bins), dtype=np.complex64)
    turns = -2j * np.pi * bin_hz / frame_rate_hz * np.arange(n_bins)
    for first in range(0, len(parts), RULES.pulse_span):
        windows = np.arange(first, min(first + RULES.pulse_span, len(parts)))
        spectra = fft.rfft(parts[windows] * taper, size, axis=1)[:, :n_bins]
        pulses[windows] = spectra * np.exp(np.outer(hop * windows, turns))
    return pulses, bin_hz


def _interpolate(table: _Array, positions: _Array) -> _Array:
    lower = np.floor(positions).astype(np.intp)
    is_inside = lower < table.shape[1] - 1
    lower = np.where(is_inside, lower, 0)
    part = positions - lower
    upper = np.minimum(lower + 1, table.shape[1] - 1)
    values: _Array = table[:, lower] * (1 - part) + table[:, upper] * part
    return np.where(is_inside, values, 0.0)
