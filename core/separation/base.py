"""What every separator model is: a mixture in, its stems out, same rate, length and channels.

A model of a family implements `SeparatorModel._stream_stereo`, which sees stereo at the model's own
rate alone; everything around it (rates, channels, silence, checks, progress) is written once, here
and in `core.separation.mixture`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import numpy as np

from core.audio.buffer import Samples, validate_block
from core.errors import JobCancelled, StageFailed
from core.separation.mixture import Mixture, Read, StemBlock, StereoMixture

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
        """Split a mixture that lies in memory: `stream`, with the blocks put together.

        Parameters
        ----------
        mixture : float32, shape ``(n_channels, n_samples)`` with one or two channels, finite,
            nominal range ±1; not mutated.
        sample_rate : Hz, of the mixture and of the stems.
        progress, cancelled : as of `stream`.

        Returns
        -------
        For each of `stems`, float32 of the mixture's shape.

        Raises
        ------
        JobCancelled, StageFailed, ValueError : as `stream`.
        """
        validate_block(mixture, n_channels=mixture.shape[0])
        stems = {stem: np.zeros_like(mixture) for stem in self.stems}
        start = 0
        for block in self.stream(
            lambda first, stop: mixture[:, first:stop],
            mixture.shape[0],
            mixture.shape[1],
            sample_rate,
            progress=progress,
            cancelled=cancelled,
        ):
            for stem, samples in block.items():
                stems[stem][:, start : start + samples.shape[1]] = samples
            start += samples.shape[1]
        return stems

    def stream(
        self,
        read: Read,
        n_channels: int,
        n_samples: int,
        sample_rate: int,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Iterator[dict[str, Samples]]:
        """Split a mixture block by block; memory does not grow with its length.

        Mono is separated as stereo with two equal channels, and the stems averaged back. What lies
        above half the model's rate is in no stem: it is left to the residual.

        Parameters
        ----------
        read : gives samples ``start`` to ``stop``, float32, shape ``(n_channels, stop - start)``,
            finite, nominal range ±1. Asked more than once for the same samples.
        n_channels, n_samples : shape of the mixture; one or two channels.
        sample_rate : Hz, of the mixture and of the stems.
        progress : called with a fraction in [0, 1] that never falls, at each chunk and at the end.
        cancelled : asked at each chunk.

        Yields
        ------
        For each of `stems`, float32, shape ``(n_channels, n)``: adjoining blocks that cover the
        mixture. Silence gives exact silence; on one CPU the same mixture gives the same stems, bit
        for bit.

        Raises
        ------
        JobCancelled : ``cancelled`` said so.
        StageFailed : the network gave something that isn't finite.
        ValueError : more than two channels, samples that aren't finite, or a rate below 1 Hz.
        """
        mixture = Mixture(read, n_channels, n_samples, sample_rate)
        monitor = Monitor(progress, cancelled)
        monitor.check()
        if mixture.is_silent():
            stems: Iterator[StemBlock] = mixture.silence(len(self.stems))
        else:
            stems = mixture.deliver(
                self._stream_stereo(mixture.as_stereo(self.sample_rate), monitor), self.sample_rate
            )
        for block in stems:
            self._require_finite(block)
            yield dict(zip(self.stems, block, strict=True))
            monitor.check()
        monitor.report(1.0)

    @abstractmethod
    def _stream_stereo(self, mixture: StereoMixture, monitor: Monitor) -> Iterator[StemBlock]:
        """Split stereo at the model's rate, at least one sample of it.

        Yields float32 blocks ``(n_stems, 2, n)``, stems in the order of `stems`, adjoining and as
        long as the mixture together. Calls `Monitor.report` at every chunk.
        """

    def _require_finite(self, block: StemBlock) -> None:
        for stem, samples in zip(self.stems, block, strict=True):
            if not np.isfinite(samples).all():
                raise StageFailed(
                    f"{self.name} gave samples that are not finite in '{stem}' on {self.device}.",
                    hint="Set DEVICE=cpu, or fetch the weights again.",
                )
