"""Backup of an installation in use, and its way back: the database and the files that belong to it.

    {backup}/backup.json         written last; without it, the backup is not complete
    {backup}/database.*          the copy of the database
    {backup}/data/…              the files of DATA_DIR that cannot be made again

The jobs are listed before the database is copied, and only those are copied: no job of the copied
database lacks its files but those that were made in between, which the backup does not have.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from core.artifacts.store import JobStore
from core.errors import InvalidOption, JobNotFound
from core.system.atomic import atomic_path, write_atomically
from core.system.clock import now
from core.system.database import CATALOGUE
from core.system.database_copy import copy_database, copy_sqlite, restore_database
from core.system.disk import create_data_dir
from core.system.storage import Storage

logger = logging.getLogger(__name__)

DATA = "data"
NOTE = "backup.json"
JOBS = "outputs"
FOLDERS = ("uploads", "incoming", "library", "ingests", "enrichments", "owners", "facts", "models")
"""Folders of DATA_DIR that are copied whole, besides those of the jobs. Caches, renders, packs,
logs and locks can be made again."""
MAX_TRIES = 20


class BackupNote(BaseModel):
    """What a backup holds."""

    created_at: datetime
    database: str
    n_jobs: int
    n_files: int
    n_bytes: int


@dataclass(slots=True)
class _Counts:
    n_files: int = 0
    n_bytes: int = 0


def back_up(
    store: JobStore,
    database_url: str,
    into: Path,
    *,
    progress: Callable[[float], None] = lambda _: None,
) -> BackupNote:
    """Copy an installation, which may be running, to a folder.

    Files of an earlier backup in that folder that have not changed are not copied again; what is no
    longer there is removed. Raises `InvalidOption`, `DatabaseUnavailable`, `StorageFull`.
    """
    _require_folder(store.storage)
    data = into / DATA
    if _contains(into, store.data_dir) or _contains(store.data_dir, into):
        raise InvalidOption(
            f"The backup folder {into} is not apart from DATA_DIR.",
            hint="Name a folder on another disk.",
            field="folder",
        )
    if into.exists() and any(into.iterdir()) and not data.is_dir():
        raise InvalidOption(
            f"The folder {into} holds something that is not a backup.",
            hint="Name an empty folder, or that of an earlier backup.",
            field="folder",
        )
    create_data_dir(into)
    data.mkdir(exist_ok=True)
    (into / NOTE).unlink(missing_ok=True)
    job_ids = store.job_ids()
    database = copy_database(database_url, into)
    counts = _Counts()
    steps = [*FOLDERS, *job_ids]
    kept_jobs = set()
    for n, step in enumerate(steps, start=1):
        if step in FOLDERS:
            _mirror(store.data_dir / step, data / step, counts)
        elif _copy_job(store, step, data / JOBS / step, counts):
            kept_jobs.add(step)
        progress(n / len(steps))
    # Of a file that is being written to, the bytes alone may be of two moments.
    for catalogue in store.data_dir.glob(f"owners/*/{CATALOGUE}"):
        copy_sqlite(catalogue, data / catalogue.relative_to(store.data_dir))
    for folder in (data / JOBS).glob("*"):
        if folder.name not in kept_jobs:
            shutil.rmtree(folder)
    note = BackupNote(
        created_at=now(),
        database=database,
        n_jobs=len(kept_jobs),
        n_files=counts.n_files,
        n_bytes=counts.n_bytes,
    )
    write_atomically(into / NOTE, note.model_dump_json(indent=1).encode())
    return note


def restore(backup: Path, place: Path | Storage, database_url: str) -> BackupNote:
    """Copy a backup to an empty DATA_DIR and an empty database.

    Raises `InvalidOption`, `DatabaseUnavailable`, `StorageFull`.
    """
    storage = Storage.at(place)
    _require_folder(storage)
    data_dir = storage.data_dir
    try:
        note = BackupNote.model_validate_json((backup / NOTE).read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidOption(
            f"{backup} is not a complete backup.",
            hint=f"A complete one has a file {NOTE}.",
            field="folder",
        ) from error
    there = [path.name for path in data_dir.glob("*") if path.name not in ("logs", "locks")]
    if there:
        raise InvalidOption(
            f"DATA_DIR {data_dir} is not empty: it holds '{sorted(there)[0]}'.",
            hint="Restore into an empty folder, and move what is there elsewhere.",
            field="data_dir",
        )
    create_data_dir(data_dir)
    restore_database(database_url, backup / note.database)
    for folder in sorted((backup / DATA).iterdir()):
        _mirror(folder, data_dir / folder.name, _Counts())
    return note


def _require_folder(storage: Storage) -> None:
    if storage.is_shared:
        raise InvalidOption(
            "The files of this installation are in the object store of STORAGE_URL, so DATA_DIR is "
            "no whole of it.",
            hint="Use the backups of PostgreSQL and of the store: docs/scaling.md.",
            field="storage_url",
        )


def _contains(folder: Path, other: Path) -> bool:
    return other.resolve().is_relative_to(folder.resolve())


def _copy_job(store: JobStore, job_id: str, into: Path, counts: _Counts) -> bool:
    """Copy a job as it is at one moment; return False if it was deleted meanwhile.

    The files that a manifest lists are there when it is read, and may go when it changes: then they
    are copied again.
    """
    for _ in range(MAX_TRIES):
        try:
            stamp = store.stamp(job_id)
            found = _Counts()
            _mirror(store.job_folder(job_id), into, found)
            if store.stamp(job_id) == stamp:
                counts.n_files += found.n_files
                counts.n_bytes += found.n_bytes
                return True
        except (JobNotFound, FileNotFoundError):
            if not store.exists(job_id):
                shutil.rmtree(into, ignore_errors=True)
                return False
    logger.warning("job %s changed all the time: its copy may be restarted", job_id)
    return True


def _mirror(source: Path, target: Path, counts: _Counts) -> None:
    """Make ``target`` hold the files of ``source``; those of the same size and time are left."""
    found = {path.relative_to(source) for path in _files_below(source)}
    for path in _files_below(target):
        if path.relative_to(target) not in found:
            path.unlink()
    for name in sorted(found):
        with suppress(FileNotFoundError):  # gone meanwhile
            counts.n_bytes += _copy(source / name, target / name)
            counts.n_files += 1


def _copy(source: Path, target: Path) -> int:
    """Copy a file with its times, whole or not at all; return its size in bytes."""
    status = source.stat()
    with suppress(FileNotFoundError):
        there = target.stat()
        if (there.st_size, there.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
            return status.st_size
    with atomic_path(target) as temporary:
        shutil.copy2(source, temporary)
    return status.st_size


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, without temporary ones."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names if not name.endswith(".part"))
