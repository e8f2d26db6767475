"""Uploads that arrive in parts and survive cut connections and restarts.

    incoming/{id}/upload.json     name, size and the client's metadata, written once
    incoming/{id}/data            the bytes so far: its length is the offset
    incoming/{id}/unverified      start of a part whose checksum was not compared yet

The bytes stay until a job took them, the client deletes them, or nothing more arrived for
`UNCLAIMED_STAYS_S`.
"""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from core.artifacts.store import CHUNK_BYTES, JobStore
from core.artifacts.upload_parts import (
    INCOMING,
    UNCLAIMED_STAYS_S,
    Checksum,
    Description,
    PartWriter,
    is_upload_id,
    no_upload,
    require_offset,
    upload_busy,
)
from core.artifacts.uploads import PART, Upload
from core.errors import (
    UploadBusy,
    UploadIncomplete,
    UploadNotFound,
)
from core.system.atomic import write_atomically
from core.system.disk import storage_errors
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.uploads import UploadState


class ResumableUploads:
    """The uploads of one data folder. Safe to use from several processes.

    ``owner``: to whom all belong that are found here; None: every upload.
    """

    def __init__(self, data_dir: Path, owner: str | None = None) -> None:
        self._owner = owner
        self._folder = data_dir / INCOMING

    def create(self, name: str, n_bytes: int, metadata: str = "") -> UploadState:
        """Start an upload of ``n_bytes`` that the client calls ``name``. Raises `StorageFull`."""
        upload_id = secrets.token_hex(16)
        folder = self._folder / upload_id
        description = Description(
            owner=self._owner or LOCAL, name=name, bytes=n_bytes, metadata=metadata
        )
        with storage_errors(Path(name)):
            folder.mkdir(parents=True)
            (folder / "data").touch()
        write_atomically(folder / "upload.json", description.model_dump_json().encode())
        return self.get(upload_id)

    def get(self, upload_id: str) -> UploadState:
        """Return what has arrived of an upload. Raises `UploadNotFound`."""
        folder, description = self._open(upload_id)
        try:
            data = (folder / "data").stat()
        except FileNotFoundError:
            raise no_upload(upload_id) from None
        unverified = _unverified_from(folder)
        expires_at = data.st_mtime + UNCLAIMED_STAYS_S
        return UploadState(
            id=upload_id,
            name=description.name,
            bytes=description.bytes,
            offset=data.st_size if unverified is None else unverified,
            expires_at=datetime.fromtimestamp(expires_at, UTC),
        )

    def metadata(self, upload_id: str) -> str:
        """Return the metadata as the client gave it. Raises `UploadNotFound`."""
        return self._open(upload_id)[1].metadata

    @contextmanager
    def append(
        self, upload_id: str, offset: int, checksum: Checksum | None = None
    ) -> Iterator["PartWriter"]:
        """Yield a writer of the part that starts at ``offset``.

        What was written stays if the block raises, unless the part has a checksum: then nothing
        of it stays before it was compared. Raises `UploadNotFound`, `UploadBusy`,
        `UploadOffsetMismatch` and, at the end, `ChecksumMismatch`.
        """
        folder, description = self._open(upload_id)
        with self._held(upload_id, folder):
            _drop_unverified(folder)
            arrived = (folder / "data").stat().st_size
            require_offset(description.name, offset, arrived)
            if checksum:
                write_atomically(folder / "unverified", str(offset).encode())
            try:
                with (folder / "data").open("ab") as file:
                    writer = PartWriter(file.fileno(), description, offset, checksum)
                    yield writer
                    writer.finish()
                (folder / "unverified").unlink(missing_ok=True)
            finally:
                _drop_unverified(folder)

    def take(self, upload_id: str, store: JobStore, job_id: str) -> Upload:
        """Let a job use a complete upload; the upload itself stays until it is removed.

        Raises `UploadNotFound`, `UploadIncomplete`, `StorageFull`.
        """
        state = self._complete(upload_id)
        data = self._folder / upload_id / "data"
        sha256 = _hash_file(data)
        shared = store.uploads / f".{secrets.token_hex(8)}{PART}"
        try:
            with storage_errors(Path(state.name)):
                shared.parent.mkdir(parents=True, exist_ok=True)
                _link(data, shared)
            store.adopt_upload(shared, sha256, job_id)
        finally:
            shared.unlink(missing_ok=True)
        return Upload(sha256, state.bytes, state.name)

    def remove(self, upload_id: str) -> None:
        """Delete an upload. Raises `UploadNotFound` and, while a part arrives, `UploadBusy`."""
        folder, _ = self._open(upload_id)
        with self._held(upload_id, folder):
            shutil.rmtree(folder, ignore_errors=True)

    def n_bytes(self) -> int:
        """Return the announced size of all uploads."""
        found = self._folder.iterdir() if self._folder.exists() else ()
        total = 0
        for folder in found:
            with suppress(UploadNotFound):
                total += self._open(folder.name)[1].bytes
        return total

    def remove_expired(self) -> None:
        """Delete the uploads to which nothing was added for `UNCLAIMED_STAYS_S`."""
        if not self._folder.exists():
            return
        for folder in self._folder.iterdir():
            with suppress(OSError, UploadBusy):
                if _is_expired(folder):
                    with self._held(folder.name, folder):
                        shutil.rmtree(folder)

    def _complete(self, upload_id: str) -> UploadState:
        """Return an upload that is complete. Raises `UploadIncomplete`."""
        state = self.get(upload_id)
        if not state.is_complete:
            raise UploadIncomplete(
                f"Only {state.offset} of {state.bytes} bytes of '{state.name}' have arrived.",
                hint="Send the rest first.",
                field="upload_ids",
            )
        return state

    def _open(self, upload_id: str) -> tuple[Path, Description]:
        folder = self._folder / upload_id
        if not is_upload_id(upload_id) or not folder.is_dir() or _is_expired(folder):
            raise no_upload(upload_id)
        try:
            content = (folder / "upload.json").read_bytes()
        except FileNotFoundError:
            raise no_upload(upload_id) from None
        description = Description.model_validate_json(content)
        if self._owner not in (None, description.owner):
            raise no_upload(upload_id)
        return folder, description

    @contextmanager
    def _held(self, upload_id: str, folder: Path) -> Iterator[None]:
        # A part is written by several threads in turn.
        lock = FileLock(folder / "lock", timeout=0, thread_local=False)
        try:
            with lock:
                yield
        except Timeout:
            raise upload_busy(upload_id) from None


def _is_expired(folder: Path) -> bool:
    data = folder / "data"
    changed_at = (data if data.exists() else folder).stat().st_mtime
    return changed_at + UNCLAIMED_STAYS_S < time.time()


def _unverified_from(folder: Path) -> int | None:
    try:
        return int((folder / "unverified").read_text())
    except FileNotFoundError:
        return None


def _drop_unverified(folder: Path) -> None:
    """Remove the bytes of a part that was cut off before its checksum was compared."""
    offset = _unverified_from(folder)
    if offset is not None:
        os.truncate(folder / "data", offset)
        (folder / "unverified").unlink()


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _link(source: Path, target: Path) -> None:
    """Give the file a second name; copy it where the disk cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
