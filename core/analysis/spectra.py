"""Spectra shared by all analysers: mel bands and pitches over time, measured in one pass.

Data flow: decoded and mixed down → blocks → `SpectraMeter`, at 22,050 Hz → `Spectra` →
tempo, key, chords, energy, structure, descriptors. The signal is never held whole; three hours
take about 200 MB.

Conventions: frames are centred on their time, with silence before and after the signal. A sine of
amplitude 1 has magnitude 1 in its bin.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.signal import get_window

from core.analysis.flux import measure_flux
from core.analysis.peaks import parabolic_shift
from core.analysis.signal import SILENCE_PEAK, Mono, mel_filters
from core.audio.resample import StreamResampler

ANALYSIS_RATE_HZ = 22050
"""Sample rate of every analysis: half of 44,100 Hz."""
MEL_BANDS = 40
"""Number of mel bands, from 0 Hz to half of `ANALYSIS_RATE_HZ`."""
MEL_N_FFT = 1024
"""Samples of a frame of mel bands: 46 ms."""
MEL_HOP = 256
"""Samples from one frame of mel bands to the next: 11.6 ms."""
PITCH_HOP = 4096
"""Samples from one frame of pitches to the next: 186 ms."""
PITCH_HOP_S = PITCH_HOP / ANALYSIS_RATE_HZ
BINS_PER_SEMITONE = 3
"""Bins of `Spectra.pitches` a semitone: one on the pitch and one on either side."""
LOWEST_MIDI = 28
"""E1, 41 Hz: bins 0, 1 and 2 lie a third of a semitone below, on and above it."""
HIGHEST_MIDI = 96
"""C7, 2093 Hz."""

_DECIMATION = 4
"""Pitches are measured at a quarter of the rate: nothing above 2.2 kHz counts among them."""
_PITCH_N_FFT = 16384 // _DECIMATION  # 743 ms
_PITCH_BIN_HZ = ANALYSIS_RATE_HZ / _DECIMATION / _PITCH_N_FFT
_BLOCK_SAMPLES = 1 << 18  # bounds memory; the result does not depend on it

_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TuningRules:
    """Which spectral peaks determine the tuning.

    Parameters
    ----------
    range_hz : lowest and highest frequency of these peaks.
    floor : share of a frame's largest magnitude that a peak exceeds: -40 dB.

    No benchmark recorded.
    """

    range_hz: tuple[float, float] = (110.0, 1100.0)
    floor: float = 0.01


TUNING_RULES = TuningRules()


@dataclass(frozen=True)
class Spectra:
    """Spectra of a mono signal at 22,050 Hz over time.

    Parameters
    ----------
    n_samples : its length at `ANALYSIS_RATE_HZ`.
    peak : its largest absolute sample; 0 for silence and for no samples.
    mel : mean magnitude in 40 mel bands, ``(1 + n_samples // 256, 40)``.
    pitches : magnitude per third of a semitone from `LOWEST_MIDI` to `HIGHEST_MIDI`,
        ``(1 + n_samples // 4096, 207)``; bin ``k`` belongs to pitch ``LOWEST_MIDI + k // 3``.
    tuning_cents : how far above equal temperament on A = 440 Hz the peaks lie, −50 to 50.
    """

    n_samples: int
    peak: float
    mel: _Matrix
    pitches: _Matrix
    tuning_cents: float

    @cached_property
    def flux(self) -> _Matrix:
        """Onset strength in each frame of `mel`; see `measure_flux`."""
        return measure_flux(self.mel, self.peak)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / ANALYSIS_RATE_HZ

    @property
    def is_silent(self) -> bool:
        """Whether the signal is empty or below −100 dBFS throughout."""
        return self.peak < SILENCE_PEAK

    @property
    def mel_rate_hz(self) -> float:
        """Frames of `mel` a second."""
        return ANALYSIS_RATE_HZ / MEL_HOP

    @property
    def pitch_rate_hz(self) -> float:
        """Frames of `pitches` a second."""
        return ANALYSIS_RATE_HZ / PITCH_HOP

    @property
    def mel_times_s(self) -> NDArray[np.float64]:
        """Centres of the frames of `mel`, ``(n_frames,)``."""
        return np.arange(len(self.mel)) / self.mel_rate_hz


class SpectraMeter:
    """Measure spectra block by block; the result does not depend on the block sizes.

    Parameters
    ----------
    sample_rate : of what is added, in Hz.
    """

    def __init__(self, sample_rate: int = ANALYSIS_RATE_HZ) -> None:
        self._resampler = StreamResampler(sample_rate, ANALYSIS_RATE_HZ, 1, is_heard=False)
        self._sample_rate = sample_rate
        self._n_added = 0
        self._n_samples = 0
        self._peak = 0.0
        self._tuning = 0j
        self._short = _Framer(MEL_N_FFT, MEL_HOP, n_at_once=128)
        self._decimator = StreamResampler(_DECIMATION, 1, 1, is_heard=False)
        self._long = _Framer(_PITCH_N_FFT, PITCH_HOP // _DECIMATION, n_at_once=32)
        self._mel: list[_Matrix] = []
        self._pitches: list[_Matrix] = []

    def add(self, mono: Mono) -> None:
        """Add the next samples, float32 of shape ``(n_samples,)``; any number, including 0."""
        self._n_added += len(mono)
        for start in range(0, len(mono), _BLOCK_SAMPLES):
            self._take(self._resampler.add(mono[None, start : start + _BLOCK_SAMPLES])[0])

    def finish(self) -> Spectra:
        """Return the spectra of everything added; call it once."""
        self._take(self._resampler.flush()[0])
        self._measure_pitches(self._long.add(self._decimator.flush()[0]))
        # The resampler may add one sample: no time may lie after the end of the recording.
        n_samples = min(self._n_samples, self._n_added * ANALYSIS_RATE_HZ // self._sample_rate)
        self._measure_mel(self._short.finish(n_samples))
        self._measure_pitches(self._long.finish(n_samples // _DECIMATION))
        return Spectra(
            n_samples=n_samples,
            peak=self._peak,
            mel=np.concatenate(self._mel),
            pitches=np.concatenate(self._pitches),
            tuning_cents=float(np.angle(self._tuning) / (2 * np.pi) * 100),
        )

    def _take(self, samples: Mono) -> None:
        """Measure the next samples at `ANALYSIS_RATE_HZ`."""
        self._n_samples += len(samples)
        self._peak = max(self._peak, float(np.abs(samples).max(initial=0.0)))
        self._measure_mel(self._short.add(samples))
        self._measure_pitches(self._long.add(self._decimator.add(samples[None])[0]))

    def _measure_mel(self, frames: Iterator[_Matrix]) -> None:
        for part in frames:
            self._mel.append(np.abs(fft.rfft(part)) @ _mel_kernels())

    def _measure_pitches(self, frames: Iterator[_Matrix]) -> None:
        kernels = _pitch_kernels()
        for part in frames:
            magnitudes = np.abs(fft.rfft(part)[:, : len(kernels)])
            self._pitches.append(magnitudes @ kernels)
            self._tuning += _tuning_phasor(magnitudes)


def measure_spectra(blocks: Iterable[Mono], sample_rate: int = ANALYSIS_RATE_HZ) -> Spectra:
    """Measure the spectra of a signal in blocks; no blocks count as no samples."""
    meter = SpectraMeter(sample_rate)
    for block in blocks:
        meter.add(block)
    return meter.finish()


def save_spectra(path: Path, spectra: Spectra) -> None:
    """Write spectra to an ``.npz`` file without pickled objects."""
    with path.open("wb") as file:
        np.savez(file, **{field.name: getattr(spectra, field.name) for field in fields(Spectra)})


def load_spectra(path: Path) -> Spectra:
    """Read a file written by `save_spectra`."""
    with np.load(path, allow_pickle=False) as arrays:
        return Spectra(
            n_samples=int(arrays["n_samples"]),
            peak=float(arrays["peak"]),
            mel=arrays["mel"],
            pitches=arrays["pitches"],
            tuning_cents=float(arrays["tuning_cents"]),
        )


def mel_centres_hz() -> NDArray[np.float64]:
    """Return the centre frequency of each mel band, ``(40,)``, ascending."""
    top = 2595 * np.log10(1 + ANALYSIS_RATE_HZ / 2 / 700)
    centres: NDArray[np.float64] = 700 * (
        10 ** (np.linspace(0, top, MEL_BANDS + 2)[1:-1] / 2595) - 1
    )
    return centres


class _Framer:
    """Cut a stream into windowed frames, each centred on a multiple of the hop.

    Frames are yielded in parts of ``n_at_once``, to spread the cost of a call, or of reading a
    matrix, over many frames. Each part overwrites the one before.
    """

    def __init__(self, n_fft: int, hop_length: int, n_at_once: int) -> None:
        self._hop = hop_length
        self._window = get_window("hann", n_fft).astype(np.float32)
        self._window *= 2 / self._window.sum()
        self._kept: Mono = np.zeros(n_fft // 2, dtype=np.float32)
        self._n_given = 0
        self._part = np.empty((n_at_once, n_fft), dtype=np.float32)

    def add(self, block: Mono) -> Iterator[_Matrix]:
        """Yield the parts that the block completes, ``(n_at_once, n_fft)`` each."""
        samples = np.concatenate([self._kept, block])
        n_frames = max(0, (len(samples) - len(self._window)) // self._hop + 1)
        n_frames -= n_frames % len(self._part)
        self._kept = samples[n_frames * self._hop :]
        self._n_given += n_frames
        return self._cut(samples, n_frames)

    def finish(self, n_samples: int) -> Iterator[_Matrix]:
        """Yield all remaining frames, including those that overlap the end."""
        n_frames = 1 + n_samples // self._hop - self._n_given
        return self._cut(np.pad(self._kept, (0, len(self._window))), n_frames)

    def _cut(self, samples: Mono, n_frames: int) -> Iterator[_Matrix]:
        if n_frames <= 0:
            return
        views = np.lib.stride_tricks.sliding_window_view(samples, len(self._window))[:: self._hop]
        for first in range(0, n_frames, len(self._part)):
            views_now = views[first : min(first + len(self._part), n_frames)]
            yield np.multiply(views_now, self._window, out=self._part[: len(views_now)])


@cache
def _mel_kernels() -> _Matrix:
    return np.ascontiguousarray(mel_filters(ANALYSIS_RATE_HZ, MEL_N_FFT, MEL_BANDS).T)


@cache
def _pitch_kernels() -> _Matrix:
    """Return triangular filters a third of a semitone apart, ``(n_low_bins, 207)``, of sum 1."""
    n_bands = (HIGHEST_MIDI - LOWEST_MIDI + 1) * BINS_PER_SEMITONE
    pitches = LOWEST_MIDI + (np.arange(n_bands) - BINS_PER_SEMITONE // 2) / BINS_PER_SEMITONE
    centres_hz = 440 * 2 ** ((pitches - 69) / 12)
    # At least a bin wide, or low bands would fall between bins.
    widths_hz = np.maximum(centres_hz * (2 ** (1 / 12 / BINS_PER_SEMITONE) - 1), _PITCH_BIN_HZ)
    n_bins = int((centres_hz[-1] + widths_hz[-1]) / _PITCH_BIN_HZ) + 1
    bins_hz = np.arange(n_bins) * _PITCH_BIN_HZ
    kernels = np.maximum(0, 1 - np.abs(bins_hz[:, None] - centres_hz) / widths_hz)
    normalised: _Matrix = (kernels / kernels.sum(axis=0)).astype(np.float32)
    return normalised


def _tuning_phasor(magnitudes: _Matrix) -> complex:
    """Sum phasors of spectral peaks: magnitude, and distance from a semitone as the angle."""
    low, high = (round(hz / _PITCH_BIN_HZ) for hz in TUNING_RULES.range_hz)
    band = magnitudes[:, low - 1 : high + 1] + np.float32(1e-9)
    floor = band.max(axis=1, keepdims=True) * np.float32(TUNING_RULES.floor)
    middle = band[:, 1:-1]
    is_peak = (middle > band[:, :-2]) & (middle >= band[:, 2:]) & (middle > floor)
    rows, columns = np.divmod(np.flatnonzero(is_peak), is_peak.shape[1])
    weights = band[rows, columns + 1]
    offsets = parabolic_shift(
        np.log(band[rows, columns]), np.log(weights), np.log(band[rows, columns + 2])
    )
    semitones = 12 * np.log2((columns + low + offsets) * (_PITCH_BIN_HZ / 440))
    turns = (2 * np.pi * (semitones % 1)).astype(np.float32)
    return complex(np.cos(turns) @ weights, np.sin(turns) @ weights)
