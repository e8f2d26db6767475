"""Files that libsndfile does not write, for the tests of whole files."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def write_mp4(path: Path, mono: NDArray[np.float32], sample_rate: int, codec: str) -> None:
    """Encode a mono signal ``(n_samples,)`` as ``aac`` or ``alac`` in an M4A file."""
    form = "fltp" if codec == "aac" else "s16p"
    samples = mono if codec == "aac" else np.rint(32767 * mono).astype(np.int16)
    with av.open(str(path), "w", format="ipod") as file:
        stream = file.add_stream(codec, rate=sample_rate)
        stream.layout, stream.format = "mono", form
        stream.open()
        size = stream.frame_size
        for start in range(0, len(samples), size):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + size], form, "mono")
            frame.sample_rate, frame.pts = sample_rate, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
