"""Finds all that the library stores about a file in one decode.

Runs in a process pool; imports nothing of the catalogue, so that processes start fast.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.analysis.file import FileMixture, Listener
from core.analysis.store import FactStore
from core.analysis.track import TrackAnalyser
from core.artifacts.hashing import hash_file
from core.audio.buffer import Samples
from core.audio.reading.source import SourceFormat
from core.audio.tagging.tags import Cover, Tags, read_tags
from core.errors import InvalidAudio
from core.library.identity.fingerprint import Fingerprint, make_fingerprinter
from core.system.threads import one_blas_thread
from stemcrate.schemas.facts import TrackFacts


@dataclass(frozen=True, slots=True)
class FileTask:
    """A file to analyse.

    Parameters
    ----------
    path, name : the file, and its name for people.
    sha256 : hash of its bytes, the id of its track.
    store : known facts, which are not analysed again.
    max_duration_s : longest recording accepted, in seconds.
    """

    path: Path
    name: str
    sha256: str
    store: FactStore
    max_duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The findings in a file."""

    source: SourceFormat
    tags: Tags
    packet_sha256: str | None
    fingerprint: Fingerprint
    facts: TrackFacts


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """The identity of a recording: packet hash, fingerprint, cover."""

    packet_sha256: str | None
    fingerprint: Fingerprint
    cover: Cover | None


def find_identity(path: Path, *, name: str) -> FileIdentity:
    """Decode a file for its fingerprint and find its cover. Raises `InvalidAudio`."""
    from core.audio.reading.packets import hash_packets

    _, fingerprint = _listen(path, name=name, max_duration_s=None)
    return FileIdentity(hash_packets(path), fingerprint, read_tags(path).cover)


def find_facts(task: FileTask) -> FileFacts:
    """Find all that the library stores about a file, in one decode.

    Raises
    ------
    InvalidAudio : its subclasses say what is wrong with the file.
    """
    from core.audio.reading.packets import hash_packets

    path, limit_s = task.path, task.max_duration_s
    mixture = FileMixture(path, name=task.name, max_duration_s=limit_s, listen=make_fingerprinter)
    with task.store.recording(task.sha256) as known:
        facts = TrackAnalyser(known, mixture).facts()
    if mixture.source is None or mixture.listener is None:  # everything was known
        source, fingerprint = _listen(path, name=task.name, max_duration_s=limit_s)
    else:
        source, fingerprint = mixture.source, mixture.listener.finish()
    return FileFacts(source, read_tags(path), hash_packets(path), fingerprint, facts)


def find_facts_again(task: FileTask) -> TrackFacts:
    """Find the facts of a known file again.

    Raises
    ------
    InvalidAudio : the file's bytes have changed, or its subclasses say what is wrong.
    """
    try:
        sha256, _ = hash_file(task.path)
    except OSError as error:
        raise InvalidAudio(f"{task.name} cannot be read: {error.strerror}.") from error
    if sha256 != task.sha256:
        raise InvalidAudio(
            f"{task.name} is no longer the file that was added.",
            hint="Add it again: stemcrate library add.",
        )
    with task.store.recording(sha256) as known:
        return TrackAnalyser(known, FileMixture[Listener](task.path, name=task.name)).facts()


def _listen(
    path: Path, *, name: str, max_duration_s: float | None
) -> tuple[SourceFormat, Fingerprint]:
    # Imported late: the API imports this module, and opens no uploaded file.
    from core.audio.reading.decode import read_through

    def take(sample_rate: int, n_channels: int, blocks: Iterator[Samples]) -> Fingerprint:
        fingerprinter = make_fingerprinter(sample_rate, n_channels)
        for block in blocks:
            fingerprinter.add(block)
        return fingerprinter.finish()

    with one_blas_thread():
        return read_through(path, take, name=name, max_duration_s=max_duration_s)
