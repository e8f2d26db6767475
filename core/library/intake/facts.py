"""Everything that the library wants to know of a file, found in one decode; runs in a process pool.

The one place that asks the analysis: whatever it finds is kept as it is, under its own names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.audio.buffer import Samples
from core.audio.reading.source import SourceFormat
from core.audio.tagging.tags import Cover, Tags, read_tags
from core.library.identity.fingerprint import Fingerprint, make_fingerprinter
from stemcrate.schemas.facts import TrackFacts


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was found in a file; ``facts`` as `core.analysis.facts` names them."""

    source: SourceFormat
    tags: Tags
    packet_sha256: str | None
    fingerprint: Fingerprint
    facts: TrackFacts


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What tells whether two files hold the same recording, and what it looks like."""

    packet_sha256: str | None
    fingerprint: Fingerprint
    cover: Cover | None


def find_identity(path: Path, *, name: str) -> FileIdentity:
    """Decode a file for its fingerprint, and find its cover. Raises `InvalidAudio`."""
    # The decoders, too: the API knows this module, and opens no file of a stranger.
    from core.audio.reading.decode import read_through
    from core.audio.reading.packets import hash_packets

    def take(sample_rate: int, n_channels: int, blocks: Iterator[Samples]) -> Fingerprint:
        fingerprinter = make_fingerprinter(sample_rate, n_channels)
        for block in blocks:
            fingerprinter.add(block)
        return fingerprinter.finish()

    _, fingerprint = read_through(path, take, name=name)
    return FileIdentity(hash_packets(path), fingerprint, read_tags(path).cover)


def find_facts(path: Path, *, name: str, max_duration_s: float | None) -> FileFacts:
    """Decode a file once and find everything.

    Raises
    ------
    InvalidAudio : its subclasses tell what is wrong with the file, called ``name``.
    """
    # Heavy to load, and the API's own process never runs them.
    from core.analysis.track import TrackMeter
    from core.audio.reading.decode import read_through
    from core.audio.reading.packets import hash_packets

    def take(
        sample_rate: int, n_channels: int, blocks: Iterator[Samples]
    ) -> tuple[Fingerprint, TrackFacts]:
        fingerprinter = make_fingerprinter(sample_rate, n_channels)
        meter = TrackMeter(sample_rate, n_channels)
        for block in blocks:
            fingerprinter.add(block)
            meter.add(block)
        return fingerprinter.finish(), meter.finish().facts()

    source, (fingerprint, facts) = read_through(
        path, take, name=name, max_duration_s=max_duration_s
    )
    return FileFacts(source, read_tags(path), hash_packets(path), fingerprint, facts)
