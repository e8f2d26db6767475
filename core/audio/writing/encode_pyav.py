"""AAC, ALAC and Opus by FFmpeg through PyAV."""

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av  # noqa: TID251
import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Codes, Samples
from core.system.disk import storage_errors


@dataclass(frozen=True, slots=True)
class _Codec:
    encoder: str
    container: str
    sample_format: str
    is_planar: bool
    shift: int  # bits by which codes are shifted left
    has_lead_in: bool = False
    n_dropped: int = 0  # packets that are not written


_CODECS = {
    # FFmpeg's AAC distorts its first frame (a kick there becomes noise 6 dB below it):
    # start with a frame of silence, which the edit list removes together with the priming.
    "aac": _Codec("aac", "ipod", "fltp", is_planar=True, shift=0, has_lead_in=True),
    # HLS has no edit list: the priming is left out, and the frame of silence stays.
    "hls": _Codec("aac", "hls", "fltp", is_planar=True, shift=0, has_lead_in=True, n_dropped=1),
    "alac16": _Codec("alac", "ipod", "s16p", is_planar=True, shift=0),
    # FFmpeg's ALAC takes 24 bits left-aligned in 32; given s16p it would silently write 16.
    "alac24": _Codec("alac", "ipod", "s32p", is_planar=True, shift=8),
    "opus": _Codec("libopus", "opus", "flt", is_planar=False, shift=0),
}
_DTYPES: dict[str, type[np.generic]] = {
    "fltp": np.float32,
    "flt": np.float32,
    "s16p": np.int16,
    "s32p": np.int32,
}


HLS_SEGMENT_S = 6
"""Apple's recommendation for segments of a stream."""


class PyavWriter:
    """Write an ``aac``, ``alac16``, ``alac24`` or ``opus`` file, or a stream for ``hls``.

    ALAC takes int32 codes, the others float32 samples. A stream is a playlist (RFC 8216), and
    beside it one fragmented MP4 file of the same name with AAC, which begins with one frame (1024
    samples) of silence.
    """

    def __init__(
        self,
        path: Path,
        *,
        codec: str,
        sample_rate: int,
        n_channels: int,
        bit_rate: int | None = None,
    ) -> None:
        self._path = path
        self._codec = _CODECS[codec]
        self._rate = sample_rate
        self._layout = "mono" if n_channels == 1 else "stereo"
        self._is_closed = False
        options: dict[str, str] = {}
        if self._codec.container == "ipod":
            # The edit list holds the end of the recording; in samples it is exact.
            options = {"movie_timescale": str(sample_rate), "movflags": "+faststart"}
        elif self._codec.container == "hls":
            options = {
                "hls_segment_type": "fmp4",
                "hls_flags": "single_file",
                "hls_segment_filename": str(path.with_suffix(".mp4")),
                "hls_time": str(HLS_SEGMENT_S),
                "hls_playlist_type": "vod",
            }
        self._container: Any = av.open(
            str(path), "w", format=self._codec.container, container_options=options
        )
        self._stream = self._container.add_stream(
            self._codec.encoder, rate=sample_rate, layout=self._layout
        )
        self._stream.codec_context.format = self._codec.sample_format
        if bit_rate is not None:
            self._stream.bit_rate = bit_rate
        self._stream.codec_context.open()
        self._frame_size = self._stream.codec_context.frame_size or 4096
        lead_in = self._frame_size if self._codec.has_lead_in else 0
        self._pending = np.zeros((n_channels, lead_in), dtype=_DTYPES[self._codec.sample_format])
        self._position = -lead_in
        self._n_to_drop = self._codec.n_dropped

    def write(self, block: Samples | Codes) -> None:
        """Append a block ``(n_channels, n)``. Raises `StorageFull`."""
        shifted: NDArray[Any] = block
        if self._codec.shift:
            shifted = np.left_shift(shifted, self._codec.shift)
        joined = np.concatenate([self._pending, shifted.astype(self._pending.dtype)], axis=1)
        # All frames but the last must have the encoder's size.
        whole = joined.shape[1] - joined.shape[1] % self._frame_size
        for start in range(0, whole, self._frame_size):
            self._encode(joined[:, start : start + self._frame_size])
        self._pending = joined[:, whole:].copy()

    def close(self) -> None:
        """Encode the rest and complete the file; idempotent."""
        if self._is_closed:
            return
        if self._pending.shape[1]:
            self._encode(self._pending)
        self._mux(None)
        self._is_closed = True
        with storage_errors(self._path):
            self._container.close()

    def discard(self) -> None:
        """Remove the file."""
        if not self._is_closed:
            self._is_closed = True
            # The file is removed in any case; report the first error.
            with suppress(av.error.FFmpegError):
                self._container.close()
        self._path.unlink(missing_ok=True)

    def _encode(self, block: Any) -> None:
        array = np.ascontiguousarray(block if self._codec.is_planar else block.T)
        if not self._codec.is_planar:
            array = array.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(
            array, format=self._codec.sample_format, layout=self._layout
        )
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pts = self._position
        self._position += block.shape[1]
        self._mux(frame)

    def _mux(self, frame: Any) -> None:
        with storage_errors(self._path):
            packets = self._stream.encode(frame)
            n_dropped = min(self._n_to_drop, len(packets))
            self._n_to_drop -= n_dropped
            self._container.mux(packets[n_dropped:])
