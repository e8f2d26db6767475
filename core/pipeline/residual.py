"""mixture − Σ stems: measured block by block, and put where the options say."""

from collections.abc import Iterator

import numpy as np

from core.audio.buffer import Samples
from core.pipeline.separating import name_rest
from core.separation.models.base import SeparatorModel
from core.separation.streaming.mixture import Read
from core.separation.streaming.quality import QualityMeter


def name_closing_stem(policy: str, model: SeparatorModel, stems: tuple[str, ...]) -> str | None:
    """Name the stem that takes the residual, so that the sum is the mixture; None for ``off``."""
    if policy == "off":
        return None
    if stems != model.stems or model.residual_stem is None:
        return name_rest(stems)
    return "residual" if policy == "keep" else model.residual_stem


def close_stems(
    blocks: Iterator[dict[str, Samples]],
    read: Read,
    closing_stem: str | None,
    meter: QualityMeter,
) -> Iterator[dict[str, Samples]]:
    """Add the residual of each block of stems to ``closing_stem``, having measured it.

    Parameters
    ----------
    blocks : as `SeparatorModel.stream` yields them, float32 ``(n_channels, n)`` each.
    read : of the mixture.
    closing_stem : one of the stems, or one more; None leaves the residual out.
    meter : takes every block as it came from the model.
    """
    start = 0
    for block in blocks:
        stop = start + next(iter(block.values())).shape[1]
        original = read(start, stop)
        residual = original - np.sum([s.astype(np.float64) for s in block.values()], axis=0)
        meter.add(original, block, residual)
        if closing_stem is not None:
            closed = block.get(closing_stem, np.float32(0)) + residual
            block = {**block, closing_stem: closed.astype(np.float32)}
        yield block
        start = stop
