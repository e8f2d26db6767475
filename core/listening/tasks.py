"""What the listener's processes do.

This module is all that the API loads of it: decoders and encoders are imported inside, in those
processes alone. It imports little itself, so that a process is ready soon after its start.
"""

from collections.abc import Iterator
from pathlib import Path

from core.audio.reading.source import SourceFormat
from core.listening.lanes import Lane, TrackLanes


def load() -> None:
    """Load what every task needs."""
    import core.listening.rendering  # noqa: F401


def find_format(path: Path, name: str) -> SourceFormat:
    """Return the format of a file. Raises `InvalidAudio`."""
    from core.audio.reading.decode import probe

    return probe(path, name=name)


def segment(track: TrackLanes, lane: Lane, number: int, path: Path) -> None:
    """Write a segment; see `core.listening.rendering`."""
    from core.listening.rendering import make_segment

    make_segment(track, lane, number, path)


def segments(track: TrackLanes, lane: Lane, folder: Path) -> Iterator[int]:
    """Write all segments; see `core.listening.rendering`."""
    from core.listening.rendering import make_segments

    yield from make_segments(track, lane, folder)


def spectrogram(track: TrackLanes, lane: Lane, path: Path) -> None:
    """Write a spectrogram; see `core.listening.rendering`."""
    from core.listening.rendering import make_spectrogram

    make_spectrogram(track, lane, path)


def stream(track: TrackLanes, lane: Lane, bit_rate: int, folder: Path) -> None:
    """Write a stream; see `core.listening.streams`."""
    from core.listening.streams import make_stream

    make_stream(track, lane, bit_rate, folder)


def thumbnail(cover: Path, path: Path) -> None:
    """Write a small picture of a cover; see `core.listening.thumbnails`."""
    from core.listening.thumbnails import make_thumbnail

    make_thumbnail(cover, path)


def waveform(track: TrackLanes, lane: Lane, folder: Path) -> None:
    """Write a waveform; see `core.listening.rendering`."""
    from core.listening.rendering import make_waveform

    make_waveform(track, lane, folder)
