"""Renders on disk: requests and the files that were made for them.

    renders/{id}/render.json      the record
    renders/{id}/audio            the file, once it is complete
    renders/{id}/.work-…/         float audio while it is made

A render can be made again at any time, so the least recently used are removed, as in a cache.
"""

import secrets
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.artifacts.cache import make_key
from core.artifacts.documents import documents_of
from core.artifacts.upload_store import UploadStore
from core.errors import RenderNotFinished, RenderNotFound
from core.system.storage import Storage
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.renders import RenderRecord, RenderRequest

RENDERS = "renders"
RECORD, AUDIO, WORK = "render.json", "audio", ".work-"


@dataclass(frozen=True, slots=True)
class RenderAttempt:
    """One attempt at one run of a render; a later one takes its right to write."""

    id: str
    run: str
    number: int

    @classmethod
    def of(cls, record: RenderRecord) -> "RenderAttempt":
        """Return the newest attempt of a record."""
        return cls(record.id, record.run, record.attempt)


def render_id(parts: Sequence[Any]) -> str:
    """Return the id of a render: 122 bits of the SHA-256 of what decides it, as a UUIDv8.

    ``parts`` are JSON-serializable values.
    """
    value = int(make_key(parts)[:32], 16)
    value = value & ~(0xF << 76) | 8 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


class RenderStore:
    """The renders of an installation. Safe to use from several processes.

    ``owner``: to whom all belong that this store has; None: every render.
    """

    def __init__(self, place: Path | Storage, owner: str | None = None) -> None:
        self._owner = owner
        self._files = UploadStore(place)
        self._documents = documents_of(self._files.storage)
        self._folder = self._files.data_dir / RENDERS

    def take(
        self,
        id: str,
        request: RenderRequest,
        *,
        job_ids: Sequence[str],
        track_ids: Sequence[str],
    ) -> tuple[RenderRecord, bool]:
        """Return the render of this id, and whether it has to be queued.

        One that is waiting, running or completed is used as it is; else a new run is recorded.
        """
        with self._lock():
            with suppress(RenderNotFound):
                known = self.load(id)
                is_there = known.state != JobState.COMPLETED or self._audio(known).is_file()
                if is_there and known.state not in (JobState.FAILED, JobState.CANCELLED):
                    self._documents.touch(_record_name(id))
                    return known, False
            record = RenderRecord(
                id=id,
                owner=self._owner or LOCAL,
                run=secrets.token_hex(4),
                created_at=datetime.now(UTC),
                request=request,
                job_ids=list(job_ids),
                track_ids=list(track_ids),
            )
            self._remove(id)
            self._write(record)
            return record, True

    def load(self, id: str) -> RenderRecord:
        """Read a record. Raises `RenderNotFound`."""
        if _is_id(id):
            with suppress(ValidationError):
                data = self._documents.read(_record_name(id)) or b""
                record = RenderRecord.model_validate_json(data)
                if self._owner in (None, record.owner):
                    return record
        raise RenderNotFound(f"There is no render '{id[:100]}'.", hint="Request it again.")

    def begin(self, id: str, run: str) -> RenderRecord:
        """Record a new attempt at a run and return it; what earlier ones left is removed.

        Raises `RenderNotFound` if it was deleted, ended or requested anew.
        """
        with self._lock():
            record = self.load(id)
            if record.run != run or record.state.is_final:
                raise _over(id)
            record.attempt += 1
            record.state = JobState.RUNNING
            record.started_at = datetime.now(UTC)
            self._write(record)
            for folder in (self._folder / id).glob(f"{WORK}*"):
                shutil.rmtree(folder, ignore_errors=True)
            return record

    def is_current(self, attempt: RenderAttempt) -> bool:
        """Return whether an attempt may still write."""
        with suppress(RenderNotFound):
            record = self.load(attempt.id)
            return RenderAttempt.of(record) == attempt and not record.state.is_final
        return False

    @contextmanager
    def update(self, attempt: RenderAttempt) -> Iterator[RenderRecord]:
        """Yield the record of an attempt that may still write; write it when the block succeeds.

        Raises `RenderNotFound` if it was deleted, ended or begun anew.
        """
        with self._lock():
            if not self.is_current(attempt):
                raise _over(attempt.id)
            record = self.load(attempt.id)
            yield record
            self._write(record)

    @contextmanager
    def work_folder(self, attempt: RenderAttempt) -> Iterator[Path]:
        """Yield an empty folder for audio; it is removed at the end. Raises `RenderNotFound`."""
        folder = self._folder / attempt.id / f"{WORK}{attempt.run}-{attempt.number}"
        with self._lock():
            if not self.is_current(attempt):
                raise _over(attempt.id)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if self._documents.touched_at(_record_name(attempt.id)) is None:
                shutil.rmtree(self._folder / attempt.id, ignore_errors=True)

    def keep(self, record: RenderRecord, file: Path) -> None:
        """Move a finished file to its place; call it in `update`, with its record."""
        name = self._audio_name(record)
        path = self._files.data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        file.replace(path)
        if self._files.objects is not None:
            self._files.objects.put(name)

    def audio_path(self, record: RenderRecord) -> Path:
        """Return the path of a finished file, which thereby counts as used.

        Raises
        ------
        RenderNotFinished : it is waiting, running, or did not complete.
        RenderNotFound : it was removed meanwhile.
        """
        if record.file is None:
            raise RenderNotFinished(
                f"Render '{record.id}' is {record.state}.",
                hint=record.error.message if record.error else "Wait until it is completed.",
            )
        path = self._audio(record)
        if not path.is_file():
            raise RenderNotFound(f"The file of '{record.id}' is gone.", hint="Request it again.")
        self._documents.touch(_record_name(record.id))
        return path

    def delete(self, id: str) -> None:
        """Remove a render; one that runs is stopped by its worker. Raises `RenderNotFound`."""
        with self._lock():
            self.load(id)
            self._remove(id)

    def delete_of(self, *, job_id: str) -> None:
        """Remove the renders made of a job's audio."""
        for record in self.all():
            if job_id in record.job_ids:
                with suppress(RenderNotFound):
                    self.delete(record.id)

    def all(self) -> list[RenderRecord]:
        """Read every record."""
        records = []
        for name in self._documents.names(RENDERS):
            if name.endswith(f"/{RECORD}"):
                with suppress(RenderNotFound):
                    records.append(self.load(name.split("/")[-2]))
        return records

    def evict(self, *, max_bytes: int, older_than_s: float) -> None:
        """Remove ended renders that were not used for so long, then the oldest beyond the size.

        Folders that another version or a killed process left go with them.
        """
        with self._lock():
            limit = time.time() - older_than_s
            found = sorted(self._uses())
            total = sum(n_bytes for _, n_bytes, _ in found)
            for used_at, n_bytes, id in found:
                if total <= max_bytes and used_at >= limit:
                    continue
                with suppress(RenderNotFound):
                    if not self.load(id).state.is_final:
                        continue
                self._remove(id)
                total -= n_bytes

    def _uses(self) -> Iterator[tuple[float, int, str]]:
        """Yield the time of each render's last use, its size in bytes, and its id."""
        if self._files.objects is None:
            yield from map(_last_use, self._folder.glob("*/"))
            return
        for record in self.all():
            used_at = self._documents.touched_at(_record_name(record.id)) or 0.0
            yield used_at, record.file.bytes if record.file else 0, record.id

    def _remove(self, id: str) -> None:
        self._documents.remove(_record_name(id))  # first: it tells the worker
        shutil.rmtree(self._folder / id, ignore_errors=True)
        if self._files.objects is not None:
            self._files.objects.remove_below(f"{RENDERS}/{id}")

    def _write(self, record: RenderRecord) -> None:
        data = record.model_dump_json(indent=1).encode()
        self._documents.write(_record_name(record.id), data)

    def _audio(self, record: RenderRecord) -> Path:
        """Return the path of a file, fetched where it is not on this host."""
        name = self._audio_name(record)
        objects = self._files.objects
        return self._files.data_dir / name if objects is None else objects.copy(name)

    def _audio_name(self, record: RenderRecord) -> str:
        run = f"{record.run}/" if self._files.storage.is_shared else ""
        return f"{RENDERS}/{record.id}/{run}{AUDIO}"

    def _lock(self) -> AbstractContextManager[None]:
        return self._files.locks.held("renders")


def _record_name(id: str) -> str:
    return f"{RENDERS}/{id}/{RECORD}"


def _over(id: str) -> RenderNotFound:
    return RenderNotFound(f"The render '{id}' is over.")


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _last_use(folder: Path) -> tuple[float, int, str]:
    """Return the time of a render's last use, its size in bytes, and its id."""
    used_at, n_bytes = 0.0, 0
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            status = path.stat()
            n_bytes += status.st_size if path.is_file() else 0
            if path.name == RECORD or not used_at:
                used_at = status.st_mtime
    return used_at, n_bytes, folder.name
