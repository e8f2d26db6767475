"""Measurement of a mixture in one pass: spectra, loudness and waveform, block by block."""

from dataclasses import dataclass

from core.analysis.signal import to_mono
from core.analysis.spectra import Spectra, SpectraMeter
from core.audio.buffer import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, Samples
from core.audio.metering.loudness import Loudness, LoudnessCurve, LoudnessMeter
from core.audio.metering.waveform_data import WaveformData, WaveformMeter

MAX_POINTS = 512
"""Maximum length of the loudness over time."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measurements; loudness is empty at sample rates for which it is not defined."""

    duration_s: float
    spectra: Spectra
    loudness: Loudness
    loudness_over_time: LoudnessCurve
    waveform: WaveformData


class MixtureMeter:
    """Measure a recording in blocks; memory grows by about 20 kB for each second of audio.

    Parameters
    ----------
    sample_rate : in Hz.
    n_channels : 1 or 2.
    """

    def __init__(self, sample_rate: int, n_channels: int) -> None:
        self._sample_rate = sample_rate
        self._n_samples = 0
        self._loudness: LoudnessMeter | None = None
        if MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
            self._loudness = LoudnessMeter(sample_rate, n_channels)
        self._spectra = SpectraMeter(sample_rate)
        self._waveform = WaveformMeter(sample_rate, n_channels)

    def add(self, block: Samples) -> None:
        """Add the next samples, float32 ``(n_channels, n)``."""
        self._n_samples += block.shape[1]
        if self._loudness is not None:
            self._loudness.add(block)
        self._waveform.add(block)
        self._spectra.add(to_mono(block))

    def finish(self) -> Measurement:
        """Return the measurements; call it once."""
        spectra = self._spectra.finish()
        self._spectra = SpectraMeter()  # frees the parts, which are large for a long mix
        return Measurement(
            duration_s=self._n_samples / self._sample_rate,
            spectra=spectra,
            loudness=self._loudness.result() if self._loudness is not None else Loudness(),
            loudness_over_time=self._loudness.short_term_lufs(MAX_POINTS)
            if self._loudness is not None
            else LoudnessCurve(),
            waveform=self._waveform.finish(),
        )
