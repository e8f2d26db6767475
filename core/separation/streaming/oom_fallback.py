"""Out-of-memory fallback: smaller batches, then shorter segments, then the CPU.

An accelerator that runs out of memory does not fail the job. Each step is reported and holds until
the separation ends; the next separation starts at full size again.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from core.separation.streaming.checkpoint import ChunkCheckpoint
from core.separation.streaming.overlap_add import overlap_add

# (segments on the device) -> their stems, on the device
Network = Callable[[Tensor], Tensor]


class OomFallback:
    """Runs a network within the available memory.

    Parameters
    ----------
    module : the network; it is moved to the device at once.
    device : torch's name of the first device.
    tell : called with a sentence at each fallback.
    run : from segments on the device, ``(n_segments, n_channels, n)``, to their stems; default
        calls the module.
    shorten : sets the segment length of the module in samples and returns the actual length; None
        if the length is fixed.
    segment, min_segment : length of a segment in samples, and the shortest useful one.
    """

    def __init__(
        self,
        module: Any,
        device: str,
        tell: Callable[[str], None],
        *,
        run: Network | None = None,
        shorten: Callable[[int], None] | None = None,
        segment: int = 0,
        min_segment: int = 1,
    ) -> None:
        self._module = module.to(device)
        self._device = device
        self._tell = tell
        self._run = run or module
        self._shorten = shorten
        self._segment = self._full_segment = segment
        self._min_segment = min_segment
        self._max_batch: int | None = None

    def __call__(self, segments: Tensor) -> Tensor:
        """Run the network; the stems are returned on the CPU.

        Raises
        ------
        torch.OutOfMemoryError : the memory of the CPU is not sufficient either.
        """
        while True:
            try:
                return torch.cat([self._run_part(part) for part in self._parts(segments)])
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
                self._step_down(len(segments), error)

    def close(self) -> None:
        """Restore the module's own segment length."""
        if self._shorten is not None and self._segment != self._full_segment:
            self._shorten(self._full_segment)

    def _parts(self, segments: Tensor) -> Iterator[Tensor]:
        yield from segments.split(self._max_batch or len(segments))

    def _run_part(self, segments: Tensor) -> Tensor:
        if self._segment == self._full_segment:
            return self._run(segments.to(self._device)).cpu()
        return torch.stack([self._run_short(samples) for samples in segments])

    def _run_short(self, samples: Tensor) -> Tensor:
        """Run one segment as several shorter, overlapping ones."""
        blocks = overlap_add(
            lambda parts: self._run(parts.to(self._device)).cpu(),
            lambda start, stop: samples[:, start:stop],
            samples.shape[-1],
            segment=self._segment,
            on_segment=lambda _: None,
            checkpoint=ChunkCheckpoint(None, "", {}),
            valid_length=lambda _: self._segment,
        )
        return torch.cat(list(blocks), dim=-1)

    def _step_down(self, n_segments: int, error: Exception) -> None:
        batch = min(n_segments, self._max_batch or n_segments)
        with suppress(AttributeError, RuntimeError):
            getattr(torch, self._device.split(":")[0]).empty_cache()
        if batch > 1:
            self._max_batch = batch // 2
            step = f"{self._max_batch} at a time instead of {batch}"
        elif self._shorten is not None and self._segment // 2 >= self._min_segment:
            self._segment //= 2
            self._shorten(self._segment)
            step = f"segments of {self._segment} samples instead of {2 * self._segment}"
        elif self._device != "cpu":
            if self._shorten is not None:
                self._segment = self._full_segment
                self._shorten(self._segment)
            self._module.to("cpu")
            step = f"the CPU instead of {self._device}"
            self._device = "cpu"
        else:
            raise error
        self._tell(f"Memory ran out on the device; the network goes on with {step}.")


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Check for an out-of-memory error; MPS has no class for it."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()
