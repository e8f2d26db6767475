"""One run of a separation: the wanted stems and effort, progress and cancellation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import JobCancelled
from core.separation.streaming.checkpoint import ChunkCheckpoint
from core.separation.streaming.effort import Effort
from core.system.progress import Cancelled, Progress

Tell = Callable[[str], None]


class Run:
    """One run of a separation.

    Parameters
    ----------
    stems : the wanted stems, in the model's order.
    effort, progress, cancelled, tell, checkpoint : as for `SeparatorModel.stream`.
    """

    def __init__(
        self,
        stems: tuple[str, ...],
        effort: Effort,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        tell: Tell | None = None,
        *,
        checkpoint: Path | None = None,
    ) -> None:
        self.stems = stems
        self.effort = effort
        self._progress = progress
        self._cancelled = cancelled
        self._tell = tell
        self._checkpoint = checkpoint
        self._fraction = 0.0

    def report(self, fraction: float) -> None:
        """Report the fraction done, in [0, 1], non-decreasing. Raises `JobCancelled`."""
        self.check()
        self._fraction = max(self._fraction, min(1.0, fraction))
        if self._progress is not None:
            self._progress(self._fraction)

    def check(self) -> None:
        """Raise `JobCancelled` if the job was cancelled."""
        if self._cancelled is not None and self._cancelled():
            raise JobCancelled("The job was cancelled while its stems were being separated.")

    def tell(self, sentence: str) -> None:
        """Report that the work continues differently than requested."""
        if self._tell is not None:
            self._tell(sentence)

    def checkpoint(self, name: str, **identity: Any) -> ChunkCheckpoint:
        """Open the checkpoint of one network; see `ChunkCheckpoint`."""
        return ChunkCheckpoint(self._checkpoint, name, identity)

    def split(self, n_parts: int) -> list["Run"]:
        """Return runs for parts of equal cost, processed in lockstep.

        Each stores its chunks in a folder of its own.
        """
        fractions = [0.0] * n_parts

        def part(index: int) -> Run:
            def report(fraction: float) -> None:
                fractions[index] = fraction
                self.report(sum(fractions) / n_parts)

            return Run(
                self.stems,
                self.effort,
                report,
                self._cancelled,
                self._tell,
                checkpoint=None if self._checkpoint is None else self._checkpoint / str(index),
            )

        return [part(index) for index in range(n_parts)]
