"""Interface of separator models: a mixture in, its stems out, same rate, length and channels.

A model implements `SeparatorModel.stream_stereo`, which gets only stereo at the model's own rate;
everything around it (rates, channels, silence, checks, progress) is written once, here and in
`core.separation.streaming.mixture`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core.audio.buffer import Samples, validate_block
from core.errors import InvalidOption, StageFailed
from core.separation.streaming.effort import Effort
from core.separation.streaming.mixture import Mixture, Read, StemBlock, StereoMixture
from core.separation.streaming.passes import stream_passes
from core.separation.streaming.run import Run, Tell
from core.separation.streaming.wiener import refine
from core.system.progress import Cancelled, Progress


class SeparatorModel(ABC):
    """A loaded model, ready to separate.

    Attributes
    ----------
    name : as the catalogue, the manifest and the screen have it.
    stems : names of the stems, in the order in which they are returned.
    sample_rate : Hz, the rate at which the model runs.
    licence : of code and weights, as a sentence.
    weights_sha256 : hexadecimal SHA-256 of the weights, as `WeightsLocation.verify` defines it.
    device : torch's name of its device.
    residual_stem : the stem that gets the residual (``other``, ``accompaniment``), or None.
    """

    name: str
    stems: tuple[str, ...]
    sample_rate: int
    licence: str
    weights_sha256: str
    device: str
    residual_stem: str | None

    def separate(
        self,
        mixture: Samples,
        sample_rate: int,
        *,
        stems: Sequence[str] = (),
        effort: Effort | None = None,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> dict[str, Samples]:
        """Split a mixture in memory: `stream`, with the blocks concatenated.

        Parameters
        ----------
        mixture : float32, shape ``(n_channels, n_samples)`` with one or two channels, finite,
            nominal range ±1; not mutated.
        sample_rate : Hz, of the mixture and of the stems.
        stems, effort, progress, cancelled : as of `stream`.

        Returns
        -------
        For each of the stems, float32 of the mixture's shape.

        Raises
        ------
        JobCancelled, StageFailed, ValueError : as `stream`.
        """
        validate_block(mixture, n_channels=mixture.shape[0])
        separated = {stem: np.zeros_like(mixture) for stem in self.wanted(stems)}
        start = 0
        for block in self.stream(
            lambda first, stop: mixture[:, first:stop],
            mixture.shape[0],
            mixture.shape[1],
            sample_rate,
            stems=stems,
            effort=effort,
            progress=progress,
            cancelled=cancelled,
        ):
            for stem, samples in block.items():
                separated[stem][:, start : start + samples.shape[1]] = samples
            start += samples.shape[1]
        return separated

    @property
    def n_bytes(self) -> int:
        """Size of the loaded weights in bytes; 0 if unknown."""
        return 0

    def compile(self, cache_dir: Path | None) -> bool:
        """Compile the network for a long-lived worker; see `core.separation.models.compiled`.

        Returns False if the family has nothing to compile.
        """
        return False

    def wanted(self, stems: Sequence[str]) -> tuple[str, ...]:
        """Return stems in the model's order; an empty selection means all.

        Raises
        ------
        InvalidOption : the model has no such stem.
        """
        unknown = [stem for stem in stems if stem not in self.stems]
        if unknown:
            raise InvalidOption(
                f"The model '{self.name}' has no stem '{unknown[0]}'.",
                hint=f"Its stems: {', '.join(self.stems)}.",
                field="stems",
            )
        return tuple(stem for stem in self.stems if not stems or stem in stems)

    def stream(
        self,
        read: Read,
        n_channels: int,
        n_samples: int,
        sample_rate: int,
        *,
        stems: Sequence[str] = (),
        effort: Effort | None = None,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        tell: Tell | None = None,
        checkpoint: Path | None = None,
    ) -> Iterator[dict[str, Samples]]:
        """Split a mixture block by block; memory does not grow with its length.

        Mono is separated as stereo with two equal channels, and the stems averaged back. Content
        above half the model's rate is in no stem but in the residual.

        Parameters
        ----------
        read : returns samples ``start`` to ``stop``, float32, shape ``(n_channels, stop - start)``,
            finite, nominal range ±1. Called more than once for the same samples.
        n_channels, n_samples : shape of the mixture; one or two channels.
        sample_rate : Hz, of the mixture and of the stems.
        stems : the wanted stems; empty for all. Networks needed only for others are not run.
        effort : settings beyond one plain pass; None for `Effort()`.
        progress : called with the fraction done, in [0, 1], non-decreasing, at each chunk and at
            the end.
        cancelled : called at each chunk.
        tell : called with a sentence if the work continues differently than requested.
        checkpoint : folder of stored chunks (`core.separation.streaming.checkpoint`). A later call
            for the same mixture resumes after the last chunk; the caller removes the folder.

        Yields
        ------
        For each of the stems, float32, shape ``(n_channels, n)``: adjoining blocks that cover the
        mixture. Silence gives exact silence; on one CPU the same mixture gives the same stems, bit
        for bit.

        Raises
        ------
        JobCancelled : ``cancelled`` returned true.
        StageFailed : the network returned non-finite samples.
        InvalidOption : the model has no such stem.
        ValueError : more than two channels, non-finite samples, or a rate below 1 Hz.
        """
        mixture = Mixture(read, n_channels, n_samples, sample_rate)
        run = Run(
            self.wanted(stems), effort or Effort(), progress, cancelled, tell, checkpoint=checkpoint
        )
        run.check()
        if mixture.is_silent():
            blocks: Iterator[StemBlock] = mixture.silence(len(run.stems))
        else:
            stereo = mixture.as_stereo(self.sample_rate)
            separated = stream_passes(self.stream_stereo, stereo, self.sample_rate, run)
            if run.effort.wiener:
                separated = refine(separated, stereo)
            blocks = mixture.deliver(separated, self.sample_rate)
        for block in blocks:
            self._require_finite(run.stems, block)
            yield dict(zip(run.stems, block, strict=True))
            run.check()
        run.report(1.0)

    @abstractmethod
    def stream_stereo(self, mixture: StereoMixture, run: Run) -> Iterator[StemBlock]:
        """Split stereo at the model's own rate: the one method that a family must implement.

        Called by `stream`, which has resampled the mixture to `sample_rate`, made it stereo, and
        handled silence.

        Parameters
        ----------
        mixture : at least one sample. ``mixture.read(start, stop)`` returns float32, shape
            ``(2, stop - start)``, finite, nominal range ±1; ``mixture.n_samples`` is its length;
            ``mixture.blocks()`` yields all of it in order. Positions are samples at
            `sample_rate` Hz.
        run : the request. ``run.stems`` are the stems to yield, in the order of the rows;
            ``run.effort`` holds the settings. Call ``run.report(fraction)``, in [0, 1] and
            non-decreasing, at every chunk: it raises `JobCancelled` when the job stops.

        Yields
        ------
        float32, shape ``(n_stems, 2, n)`` with one row for each of ``run.stems``: adjoining blocks
        of any length with the total length of the mixture.
        """

    def _require_finite(self, stems: tuple[str, ...], block: StemBlock) -> None:
        for stem, samples in zip(stems, block, strict=True):
            if not np.isfinite(samples).all():
                raise StageFailed(
                    f"{self.name} returned non-finite samples in '{stem}' on {self.device}.",
                    hint="Set DEVICE=cpu, or fetch the weights again.",
                )
