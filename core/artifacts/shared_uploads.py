"""Uploads in parts that several hosts share: any of them may take the next part.

    incoming/{id}/upload.json     name, size, the client's metadata, and the parts, in the database
    incoming/{id}/{offset}        the bytes of a part, in the object store

A part is at first a file of the host that receives it, and is of the upload once it is stored.
"""

import hashlib
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import Timeout
from pydantic import Field, ValidationError

from core.artifacts.documents import documents_of
from core.artifacts.objects import objects_of
from core.artifacts.resumable import ResumableUploads
from core.artifacts.store import JobStore
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
from core.errors import UploadBusy, UploadNotFound
from core.system.disk import storage_errors
from core.system.locks import locks_of
from core.system.storage import Storage
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.uploads import UploadState


class _Record(Description):
    parts: list[int] = Field(default_factory=list)
    """Sizes of the parts that are stored, in order."""


class SharedUploads(ResumableUploads):
    """The uploads in parts of an installation of several hosts."""

    def __init__(self, storage: Storage, owner: str | None = None) -> None:
        super().__init__(storage.data_dir, owner)
        self._documents = documents_of(storage)
        self._objects = objects_of(storage)
        self._locks = locks_of(storage)

    def create(self, name: str, n_bytes: int, metadata: str = "") -> UploadState:
        """Start an upload of ``n_bytes`` that the client calls ``name``."""
        upload_id = secrets.token_hex(16)
        self._write(
            upload_id,
            _Record(owner=self._owner or LOCAL, name=name, bytes=n_bytes, metadata=metadata),
        )
        return self.get(upload_id)

    def get(self, upload_id: str) -> UploadState:
        """Return what has arrived of an upload. Raises `UploadNotFound`."""
        record, touched_s = self._read(upload_id)
        return UploadState(
            id=upload_id,
            name=record.name,
            bytes=record.bytes,
            offset=sum(record.parts),
            expires_at=datetime.fromtimestamp(touched_s + UNCLAIMED_STAYS_S, UTC),
        )

    def metadata(self, upload_id: str) -> str:
        """Return the metadata as the client gave it. Raises `UploadNotFound`."""
        return self._read(upload_id)[0].metadata

    @contextmanager
    def append(
        self, upload_id: str, offset: int, checksum: Checksum | None = None
    ) -> Iterator[PartWriter]:
        """Yield a writer of the part that starts at ``offset``; as `ResumableUploads.append`."""
        with self._alone(upload_id):
            record, _ = self._read(upload_id)
            require_offset(record.name, offset, sum(record.parts))
            part = self._folder / upload_id / f"{offset}{PART}"
            with storage_errors(Path(record.name)):
                part.parent.mkdir(parents=True, exist_ok=True)
                file = part.open("wb")
            try:
                writer = PartWriter(file.fileno(), record, offset, checksum)
                try:
                    yield writer
                    writer.finish()
                except BaseException:
                    if checksum is None:
                        self._store(upload_id, record, part, writer.offset - offset)
                    raise
                self._store(upload_id, record, part, writer.offset - offset)
            finally:
                file.close()
                shutil.rmtree(part.parent, ignore_errors=True)

    def take(self, upload_id: str, store: JobStore, job_id: str) -> Upload:
        """Let a job use a complete upload; as `ResumableUploads.take`."""
        state = self._complete(upload_id)
        record, _ = self._read(upload_id)
        whole = store.uploads / f".{secrets.token_hex(8)}{PART}"
        digest = hashlib.sha256()
        try:
            with storage_errors(Path(state.name)):
                whole.parent.mkdir(parents=True, exist_ok=True)
                with whole.open("wb") as file:
                    for chunk in self._chunks(upload_id, record):
                        digest.update(chunk)
                        file.write(chunk)
            store.adopt_upload(whole, digest.hexdigest(), job_id)
        finally:
            whole.unlink(missing_ok=True)
        return Upload(digest.hexdigest(), state.bytes, state.name)

    def remove(self, upload_id: str) -> None:
        """Delete an upload. Raises `UploadNotFound` and, while a part arrives, `UploadBusy`."""
        self._read(upload_id)
        with self._alone(upload_id):
            self._remove(upload_id)

    def n_bytes(self) -> int:
        """Return the announced size of all uploads."""
        total = 0
        for upload_id in self._ids():
            with suppress(UploadNotFound):
                total += self._read(upload_id)[0].bytes
        return total

    def remove_expired(self) -> None:
        """Delete the uploads to which nothing was added for `UNCLAIMED_STAYS_S`."""
        for upload_id in self._ids():
            touched_s = self._documents.touched_at(_name(upload_id))
            if touched_s is not None and touched_s + UNCLAIMED_STAYS_S < time.time():
                with suppress(UploadBusy), self._alone(upload_id):
                    self._remove(upload_id)

    def _store(self, upload_id: str, record: _Record, part: Path, n_bytes: int) -> None:
        if n_bytes:
            self._objects.put_file(_part_name(upload_id, sum(record.parts)), part)
            record.parts.append(n_bytes)
            self._write(upload_id, record)

    def _chunks(self, upload_id: str, record: _Record) -> Iterator[bytes]:
        offset = 0
        for n_bytes in record.parts:
            try:
                yield from self._objects.stream(_part_name(upload_id, offset), range(n_bytes))
            except FileNotFoundError as error:  # removed meanwhile
                raise no_upload(upload_id) from error
            offset += n_bytes

    def _remove(self, upload_id: str) -> None:
        self._documents.remove(_name(upload_id))
        self._objects.remove_below(f"{INCOMING}/{upload_id}")

    def _ids(self) -> list[str]:
        return [name.split("/")[1] for name in self._documents.names(INCOMING)]

    def _read(self, upload_id: str) -> tuple[_Record, float]:
        """Return an upload's record, and when something was added last."""
        if is_upload_id(upload_id):
            touched_s = self._documents.touched_at(_name(upload_id)) or 0.0
            with suppress(ValidationError):
                data = self._documents.read(_name(upload_id)) or b""
                record = _Record.model_validate_json(data)
                is_ours = self._owner in (None, record.owner)
                if is_ours and touched_s + UNCLAIMED_STAYS_S >= time.time():
                    return record, touched_s
        raise no_upload(upload_id)

    def _write(self, upload_id: str, record: _Record) -> None:
        self._documents.write(_name(upload_id), record.model_dump_json().encode())

    @contextmanager
    def _alone(self, upload_id: str) -> Iterator[None]:
        try:
            with self._locks.held(f"{INCOMING}/{upload_id}", timeout_s=0):
                yield
        except Timeout:
            raise upload_busy(upload_id) from None


def _name(upload_id: str) -> str:
    return f"{INCOMING}/{upload_id}/upload.json"


def _part_name(upload_id: str, offset: int) -> str:
    return f"{INCOMING}/{upload_id}/{offset}"
