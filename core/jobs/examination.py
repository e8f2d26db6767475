"""Looking into files before jobs take them: by the operator's scanner, then by the prober."""

from pathlib import Path

from core.artifacts.scanning import Scanner
from core.artifacts.uploads import Upload
from core.audio.reading.prober import Prober

UNKNOWN_BYTES_PER_S = 16_000
"""What counts as a second of a file that does not say its duration: 128 kbit/s."""


def examine(scanner: Scanner, prober: Prober, path: Path, upload: Upload) -> float:
    """Return the duration of an uploaded file in seconds.

    Raises `InvalidAudio` for a file that cannot be used, `ScannerUnavailable`.
    """
    refusal = scanner.find_refusal(path, upload.name)
    if refusal is not None:
        raise refusal
    duration_s = prober.probe(path, upload.name)
    return upload.n_bytes / UNKNOWN_BYTES_PER_S if duration_s is None else duration_s
