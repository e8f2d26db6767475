"""The pack: one ZIP of files, streamed or written, never held in memory.

Files are stored rather than deflated: audio hardly shrinks, and where all files are there the
length of the ZIP is known before its first byte, for ``Content-Length`` and a progress bar. Files
that have yet to be made come one by one. Names are UTF-8, archives and files beyond 4 GiB use
ZIP64. Dates are those of the files, so the same files give the same bytes.

Reference: APPNOTE.TXT, .ZIP File Format Specification 6.3 (PKWARE), sections 4.3.14 and 4.4.4.
"""

import hashlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zipstream import ZIP_STORED, ZipStream

from core.errors import ArtefactNotFound
from core.system.atomic import atomic_path


@dataclass(frozen=True, slots=True)
class PackEntry:
    """One file of a pack: its POSIX name inside the ZIP and its current path."""

    name_in_zip: str
    path: Path


@dataclass(frozen=True, slots=True)
class Pack:
    """A ZIP of existing files; iterate over its bytes as often as needed."""

    entries: tuple[PackEntry, ...]

    @property
    def size_bytes(self) -> int:
        """Exact length of the ZIP in bytes, from the sizes of the files alone."""
        stream = _new_stream()
        for entry in self.entries:
            _add(stream, entry)
        return len(stream)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what determines the ZIP's bytes: names, and lengths and dates of files.

        A finished file is replaced, never rewritten, so its content is not read.
        """
        described = hashlib.sha256()
        for entry in self.entries:
            file = entry.path.stat()
            described.update(f"{entry.name_in_zip}\0{file.st_size}\0{file.st_mtime_ns}\0".encode())
        return described.hexdigest()

    def __iter__(self) -> Generator[bytes, None, None]:
        """Yield the ZIP's bytes in chunks; memory use does not depend on the files' sizes.

        Raises
        ------
        ArtefactNotFound : a file has vanished since the pack was opened.
        RuntimeError : a file changes its length while it is read.
        """
        return stream_pack(self.entries)


def open_pack(entries: Iterable[PackEntry]) -> Pack:
    """Open a pack of files; without entries it is a valid, empty ZIP.

    Raises
    ------
    ArtefactNotFound : a file does not exist.
    ValueError : two files have the same name in the ZIP, or a name is empty, absolute or leaves
        the folder that it is unpacked into.
    """
    pack = Pack(tuple(_checked(entries)))
    for entry in pack.entries:
        _require(entry)
    return pack


def stream_pack(entries: Iterable[PackEntry]) -> Generator[bytes, None, None]:
    """Yield a ZIP in chunks; request each entry when the previous one is sent.

    An entry's file may be made when its turn comes and removed when the next is requested. Memory
    use does not depend on the files' sizes.

    Raises
    ------
    ArtefactNotFound, ValueError : as `open_pack`, when it comes to the file.
    RuntimeError : a file changes its length while it is read.
    """
    stream = _new_stream()
    for entry in _checked(entries):
        try:
            _add(stream, entry)
            yield from stream.all_files()
        except FileNotFoundError as error:  # it vanished between the check and the opening
            raise _gone(entry) from error
    yield from stream.footer()


def write_pack(entries: Iterable[PackEntry], destination: Path) -> Path:
    """Write a pack to ``destination`` atomically.

    Returns ``destination``. Raises as `stream_pack`, and `StorageFull` when the disk is full.
    """
    with atomic_path(destination) as temporary, temporary.open("wb") as file:
        for chunk in stream_pack(entries):
            file.write(chunk)
        # Flushed to the operating system here, and to disk by `atomic_path`.
        file.flush()
    return destination


def _new_stream() -> ZipStream:
    return ZipStream(compress_type=ZIP_STORED, sized=True)


def _add(stream: ZipStream, entry: PackEntry) -> None:
    _require(entry)
    stream.add_path(entry.path, entry.name_in_zip, recurse=False)


def _checked(entries: Iterable[PackEntry]) -> Iterator[PackEntry]:
    """Yield entries after checking that their names can be unpacked together."""
    names: set[str] = set()
    for entry in entries:
        _check_name(entry.name_in_zip)
        if entry.name_in_zip.casefold() in names:
            raise ValueError(f"two files of the pack are called {entry.name_in_zip!r}")
        names.add(entry.name_in_zip.casefold())
        yield entry


def _check_name(name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or name.endswith("/"):
        raise ValueError(f"not a relative POSIX name of a file: {name!r}")


def _require(entry: PackEntry) -> None:
    if not entry.path.is_file():
        raise _gone(entry)


def _gone(entry: PackEntry) -> ArtefactNotFound:
    return ArtefactNotFound(
        f"The file of '{entry.name_in_zip}' no longer exists.",
        hint="Run the job again to recreate it.",
    )
