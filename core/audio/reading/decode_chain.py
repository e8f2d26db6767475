"""Decoding chained Ogg: several recordings in one file, as saved from internet radio.

libsndfile reads only the first, and FFmpeg keeps the padding between them; here libsndfile opens
each as a file of its own, so that they are joined without gaps.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from core.audio.buffer import Samples
from core.audio.reading.decode_soundfile import SoundfileSource
from core.audio.reading.headers import find_links
from core.audio.reading.source import SourceFormat
from core.errors import CorruptAudio, InvalidAudio, NotAudio

MAX_LINKS = 1000


class ChainSource:
    """All links of a chained Ogg as one recording; see `core.audio.reading.source.AudioSource`.

    Raises
    ------
    NotAudio : libsndfile doesn't recognise a link before the last.
    CorruptAudio : links of different sample rates or numbers of channels.
    InvalidAudio : more than two channels, or more than `MAX_LINKS` links.
    """

    def __init__(self, path: Path, *, name: str) -> None:
        self._path = path
        self._name = name
        self._parts = find_links(path)
        if len(self._parts) > MAX_LINKS:
            raise InvalidAudio(
                f"{name} is a chain of {len(self._parts)} recordings.",
                hint=f"At most {MAX_LINKS} are read: cut it into parts.",
            )
        self.layout: tuple[str, ...] | None = None
        self.warnings: list[str] = []
        formats = list(self._read_formats())
        n_samples = sum(link.n_samples or 0 for link in formats)
        duration_s = n_samples / formats[0].sample_rate
        self.format = replace(formats[0], n_samples=n_samples, duration_s=duration_s)
        self._parts = self._parts[: len(formats)]
        joined = f"{name} is a chain of {len(formats)} recordings: they are joined."
        self.warnings.insert(0, joined)

    def blocks(self) -> Iterator[Samples]:
        """Yield float32 ``(n_channels, n)`` to the end of the last link. Raises `CorruptAudio`."""
        for part in self._parts:
            with closing(SoundfileSource(self._path, name=self._name, part=part)) as link:
                yield from link.blocks()
                self.warnings += link.warnings

    def check_end(self) -> None:
        """Do nothing: the end of a lossy stream proves nothing, and other chains are rare."""

    def close(self) -> None:
        """Do nothing: links are open only while they are read."""

    def _read_formats(self) -> Iterator[SourceFormat]:
        first: SourceFormat | None = None
        for number, part in enumerate(self._parts, start=1):
            try:
                with closing(SoundfileSource(self._path, name=self._name, part=part)) as link:
                    found = link.format
            except NotAudio:
                if number < len(self._parts) or first is None:
                    raise
                self.warnings.append(f"{self._name} ends in the header of one more recording.")
                return
            first = first or found
            self._check(number, found, first)
            yield found

    def _check(self, number: int, found: SourceFormat, first: SourceFormat) -> None:
        if found.n_channels > 2:
            raise InvalidAudio(
                f"{self._name} is a chain of recordings in {found.n_channels} channels.",
                hint="Export each in stereo.",
            )
        if (found.sample_rate, found.n_channels) != (first.sample_rate, first.n_channels):
            raise CorruptAudio(
                f"{self._name} is a chain of recordings, of which number {number} changes from "
                f"{first.n_channels} channels at {first.sample_rate} Hz to "
                f"{found.n_channels} channels at {found.sample_rate} Hz.",
                hint="Export it in one format.",
            )
