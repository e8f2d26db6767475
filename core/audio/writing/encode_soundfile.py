"""FLAC and MP3 by libsndfile.

MP3 by libsndfile rather than FFmpeg: both use LAME, write the gapless header and are aligned to the
sample; libsndfile takes any number of samples, whereas FFmpeg's muxer requires frames of 1152.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # noqa: TID251
from numpy.typing import NDArray

from core.audio.buffer import Codes, Samples
from core.system.disk import storage_errors

_PROBE_BYTES = 1 << 20


class SoundfileWriter:
    """Write FLAC from int32 codes (``flac_bits`` 16 or 24); without it MP3 320k from float32."""

    def __init__(
        self, path: Path, *, sample_rate: int, n_channels: int, flac_bits: int | None = None
    ) -> None:
        self._path = path
        # libsndfile takes the upper bits of an int32.
        self._shift = 32 - flac_bits if flac_bits else None
        options: dict[str, Any] = {"format": "FLAC", "subtype": f"PCM_{flac_bits}"}
        if not flac_bits:
            options = {
                "format": "MP3",
                "subtype": "MPEG_LAYER_III",
                "bitrate_mode": "CONSTANT",
                "compression_level": 0.0,  # highest bit rate: 320 kbit/s from 32 kHz
            }
        self._file: Any = soundfile.SoundFile(
            str(path), "w", samplerate=sample_rate, channels=n_channels, **options
        )

    def write(self, block: Samples | Codes) -> None:
        """Append a block ``(n_channels, n)``. Raises `StorageFull`; the file is then incomplete."""
        interleaved: NDArray[Any] = np.ascontiguousarray(block.T)
        if self._shift is not None:
            interleaved = np.left_shift(interleaved, self._shift)
        try:
            self._file.write(interleaved)
        except (soundfile.LibsndfileError, AssertionError) as error:
            # libsndfile does not report why a write failed; a write by the system does.
            with storage_errors(self._path), self._path.open("ab") as file:
                file.write(bytes(max(_PROBE_BYTES, interleaved.nbytes)))
            raise OSError(f"{self._path.name} could not be written") from error

    def close(self) -> None:
        """Flush and close; idempotent."""
        self._file.close()

    def discard(self) -> None:
        """Close and remove the file."""
        # The file is removed in any case; report the first error.
        with suppress(soundfile.LibsndfileError):
            self._file.close()
        self._path.unlink(missing_ok=True)
