"""What every separator model is: a mixture in, its stems out, same rate, length and channels.

A model of a family implements `SeparatorModel._separate_stereo`, which sees stereo at the model's
own rate alone; everything around it (rates, channels, silence, checks, progress) is written here
once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from core.audio.buffer import Samples, validate_block
from core.audio.resample import resample, resampled_length
from core.errors import JobCancelled, StageFailed

Progress = Callable[[float], None]
Cancelled = Callable[[], bool]


class Monitor:
    """Tells how far a separation is, and ends it when it was cancelled."""

    def __init__(self, progress: Progress | None, cancelled: Cancelled | None) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self._fraction = 0.0

    def report(self, fraction: float) -> None:
        """Report a fraction in [0, 1]; it never falls. Raises `JobCancelled`."""
        self.check()
        self._fraction = max(self._fraction, min(1.0, fraction))
        if self._progress is not None:
            self._progress(self._fraction)

    def check(self) -> None:
        """Raise `JobCancelled` when the job was cancelled."""
        if self._cancelled is not None and self._cancelled():
            raise JobCancelled("The job was cancelled while its stems were being separated.")


class SeparatorModel(ABC):
    """A loaded model, ready to separate.

    Attributes
    ----------
    name : as the catalogue, the manifest and the screen have it.
    stems : names of the stems, in the order in which they are returned.
    sample_rate : Hz, the rate at which the model runs.
    licence : of code and weights, as a sentence.
    weights_sha256 : hexadecimal SHA-256 of the weights, as `WeightsLocation.verify` defines it.
    device : torch's name of where it runs.
    residual_stem : the stem that takes what the others leave (``other``, ``accompaniment``).
    """

    name: str
    stems: tuple[str, ...]
    sample_rate: int
    licence: str
    weights_sha256: str
    device: str
    residual_stem: str

    def separate(
        self,
        mixture: Samples,
        sample_rate: int,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> dict[str, Samples]:
        """Split a mixture into its stems.

        Mono is separated as stereo with two equal channels, and the stems averaged back. What lies
        above half the model's rate is in no stem: it is left to the residual.

        Parameters
        ----------
        mixture : float32, shape ``(n_channels, n_samples)`` with one or two channels, finite,
            nominal range ±1; not mutated.
        sample_rate : Hz, of the mixture and of the stems.
        progress : called with a fraction in [0, 1] that never falls, at each chunk and at the end.
        cancelled : asked at each chunk.

        Returns
        -------
        For each of `stems`, float32 of the mixture's shape. Silence and no samples at all give
        exact silence; on one CPU the same mixture gives the same stems, bit for bit.

        Raises
        ------
        JobCancelled : ``cancelled`` said so.
        StageFailed : the network gave something that isn't finite.
        ValueError : more than two channels, samples that aren't finite, or a rate below 1 Hz.
        """
        n_channels, n_samples = _validate(mixture, sample_rate)
        monitor = Monitor(progress, cancelled)
        monitor.check()
        if not mixture.any():
            monitor.report(1.0)
            return {stem: np.zeros_like(mixture) for stem in self.stems}
        # One sample at 96 kHz is less than half a sample at 44.1 kHz, and a model needs one.
        n_model = max(1, resampled_length(n_samples, sample_rate, self.sample_rate))
        stereo = resample(mixture, sample_rate, self.sample_rate, n_samples=n_model)
        if n_channels == 1:
            stereo = np.repeat(stereo, 2, axis=0)
        separated = self._separate_stereo(stereo, monitor)
        del stereo
        stems = {}
        for stem in self.stems:
            samples = separated.pop(stem)
            if n_channels == 1:
                samples = samples.mean(axis=0, keepdims=True, dtype=np.float32)
            if sample_rate != self.sample_rate:
                samples = resample(samples, self.sample_rate, sample_rate, n_samples=n_samples)
            self._require_finite(stem, samples)
            stems[stem] = samples
            monitor.check()
        monitor.report(1.0)
        return stems

    @abstractmethod
    def _separate_stereo(self, mixture: Samples, monitor: Monitor) -> dict[str, Samples]:
        """Split stereo at the model's rate, shape ``(2, n_samples)`` with at least one sample.

        Must not mutate the mixture, gives every stem in its shape, and calls `Monitor.report` at
        every chunk.
        """

    def _require_finite(self, stem: str, samples: Samples) -> None:
        if not np.isfinite(samples).all():
            raise StageFailed(
                f"{self.name} gave samples that are not finite in '{stem}' on {self.device}.",
                hint="Set DEVICE=cpu, or fetch the weights again.",
            )


def _validate(mixture: Samples, sample_rate: int) -> tuple[int, int]:
    validate_block(mixture, n_channels=mixture.shape[0])
    n_channels, n_samples = mixture.shape
    if n_channels not in (1, 2):
        raise ValueError(f"a mixture has one or two channels, got {n_channels}")
    if sample_rate < 1:
        raise ValueError(f"the sample rate must be positive, got {sample_rate}")
    if not np.isfinite(mixture).all():
        raise ValueError("the mixture has samples that are not finite")
    return n_channels, n_samples
