"""Whether a recording is silent."""

from collections.abc import Iterable

import numpy as np

from core.audio.buffer import Samples

SILENT_PEAK_DBFS = -70.0
"""Sample peak below which a recording is silent: the absolute gate of BS.1770 lies there too."""

SILENT = (
    f"The recording is silent (its peak is below {SILENT_PEAK_DBFS:.0f} dBFS): there is nothing to "
    "separate, and no tempo, key or loudness."
).replace("-", "−")


def is_silent(blocks: Iterable[Samples]) -> bool:
    """Return whether no sample of ``(n_channels, n)`` blocks reaches the peak; reads no further."""
    limit = 10 ** (SILENT_PEAK_DBFS / 20)
    return all(float(np.abs(block).max(initial=0.0)) < limit for block in blocks)


def is_silent_peak(sample_peak_dbfs: float | None) -> bool:
    """Return whether a measured sample peak, None for digital silence, is that of silence."""
    return sample_peak_dbfs is None or sample_peak_dbfs < SILENT_PEAK_DBFS
