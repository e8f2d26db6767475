"""Adds files to the library without copying them: hashed, analysed, added one by one.

Added tracks are kept: an interrupted import resumes when it is run again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from core.analysis.store import FactStore
from core.analysis.version import ANALYSIS_VERSION
from core.artifacts.hashing import hash_file
from core.audio.tagging.tags import name_track, text_tags
from core.errors import InvalidAudio, StemcrateError
from core.library.intake.facts import FileFacts, FileTask, find_facts
from core.library.intake.listing import Refusal
from core.library.library import Library
from core.library.records.record import (
    FileReference,
    FingerprintRecord,
    LibraryRecord,
)
from core.system.clock import now
from core.system.task_pool import TaskPool

FileProgress = Callable[[int, int, str], None]
"""Called with the number of files done, of all, and the name of the last."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to add; ``name`` is its name for people."""

    path: Path
    name: str


@dataclass(slots=True)
class ImportReport:
    """The outcome of an import, file by file; ids in the order of adding."""

    added: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def import_files(
    library: Library,
    sources: Sequence[SourceFile],
    *,
    store: FactStore,
    n_processes: int,
    max_duration_s: float | None = None,
    progress: FileProgress | None = None,
    report: ImportReport | None = None,
) -> ImportReport:
    """Add files to the library; known files are neither read nor analysed again.

    Parameters
    ----------
    sources : absolute paths without symbolic links, as `core.library.intake.listing` gives them.
    store : known facts, which are not analysed again.
    n_processes : number of files analysed in parallel.
    max_duration_s : the longest recording accepted.
    progress : called after each file; what it raises ends the import.
    report : filled in as the import goes on; by default a new one.

    Returns
    -------
    What was added, known, and refused with reasons; a bad file does not stop the import.
    """
    filled = ImportReport() if report is None else report
    return _Import(library, sources, store, max_duration_s, progress, filled).run(n_processes)


class _Import:
    def __init__(
        self,
        library: Library,
        sources: Sequence[SourceFile],
        store: FactStore,
        max_duration_s: float | None,
        progress: FileProgress | None,
        report: ImportReport,
    ) -> None:
        self._library = library
        self._sources = sources
        self._store = store
        self._max_duration_s = max_duration_s
        self._progress = progress
        self._report = report
        self._n_done = 0
        self._under_way: dict[str, list[FileReference]] = {}
        """Files with the bytes of one that is being analysed, by track."""

    def run(self, n_processes: int) -> ImportReport:
        pool = TaskPool(find_facts, n_processes)
        with closing(pool.run(self._tasks())) as outcomes:
            for task, outcome in outcomes:
                if isinstance(outcome, StemcrateError):
                    self._refuse(task, outcome)
                else:
                    self._enter(task, outcome)
        return self._report

    def _tasks(self) -> Iterator[FileTask]:
        """Yield the files to analyse; handle the others here."""
        known = self._library.known_files([str(source.path) for source in self._sources])
        for source in self._sources:
            try:
                file = refer_to(source.path)
                found = known.get(file.path)
                if found and (found.n_bytes, found.modified_ns) == (file.bytes, file.modified_ns):
                    self._note_known(found.track_id, source.name)
                    continue
                track_id, _ = hash_file(source.path)
            except OSError as problem:
                error = InvalidAudio(f"{source.name} cannot be read: {problem.strerror}.")
                self._report.refused.append(Refusal(str(source.path), error))
                self._step(source.name)
                continue
            if track_id in self._under_way:
                self._under_way[track_id].append(file)
                self._note_known(track_id, source.name)
            elif self._library.add_file(track_id, file):
                self._note_known(track_id, source.name)
            else:
                self._under_way[track_id] = [file]
                yield FileTask(
                    source.path, source.name, track_id, self._store, self._max_duration_s
                )

    def _enter(self, task: FileTask, found: FileFacts) -> None:
        files = self._under_way.pop(task.sha256)
        self._library.put(make_record(self._library, task, files, found))
        self._report.added.append(task.sha256)
        self._step(task.name)

    def _refuse(self, task: FileTask, error: StemcrateError) -> None:
        files = self._under_way.pop(task.sha256)
        self._report.refused += [Refusal(file.path, error) for file in files]
        self._report.known = [known for known in self._report.known if known != task.sha256]
        self._step(task.name)

    def _note_known(self, track_id: str, name: str) -> None:
        self._report.known.append(track_id)
        self._step(name)

    def _step(self, name: str) -> None:
        self._n_done += 1
        if self._progress is not None:
            self._progress(self._n_done, len(self._sources), name)


def make_record(
    library: Library, task: FileTask, files: list[FileReference], found: FileFacts
) -> LibraryRecord:
    """Make the record of an analysed file, and store its cover."""
    title, artist = name_track(found.tags, task.name)
    cover = found.tags.cover
    record = LibraryRecord(
        id=task.sha256,
        name=task.name,
        title=title,
        artist=artist,
        added_at=now(),
        bytes=files[0].bytes,
        files=files,
        duration_s=found.facts.duration_s,
        sample_rate=found.source.sample_rate,
        n_channels=found.source.n_channels,
        bit_depth=found.source.bit_depth,
        codec=found.source.codec,
        container=found.source.container,
        packet_sha256=found.packet_sha256,
        tags=text_tags(found.tags),
        cover=library.keep_cover(cover) if cover is not None else None,
        fingerprint=FingerprintRecord.of(found.fingerprint),
    )
    record.take_facts(found.facts, ANALYSIS_VERSION)
    return record


def refer_to(path: Path) -> FileReference:
    """Return a reference to a file with its size and time. Raises OSError if it is missing."""
    status = path.stat()
    return FileReference(path=str(path), bytes=status.st_size, modified_ns=status.st_mtime_ns)
