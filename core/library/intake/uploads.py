"""Files of the library and of uploads.

The store keeps uploaded bytes as long as the track exists, and gets those of a track for a job.
"""

import shutil
from pathlib import Path

from core.artifacts.store import JobStore
from core.artifacts.upload_store import library_mark
from core.artifacts.uploads import Upload
from core.errors import UploadNotFound
from core.library.library import Library
from core.library.records.record import LibraryRecord
from core.library.stems import find_unchanged

_CHUNK_BYTES = 1 << 20


def keep_upload(store: JobStore, track_id: str, owner: str) -> None:
    """Keep uploaded bytes for an owner's library, independent of the job that they came with."""
    store.share_upload(track_id, "", library_mark(owner))


def is_kept(store: JobStore, track_id: str, owner: str) -> bool:
    """Return whether a job or the library of this owner uses uploaded bytes, which are there.

    Others may have sent the same bytes; that is not to be noticed.
    """
    marks, jobs = store.upload_marks(track_id), store.owned_by(owner)
    is_used = library_mark(owner) in marks or any(map(jobs.exists, marks))
    return is_used and store.is_uploaded(track_id)


def send_recording(store: JobStore, record: LibraryRecord, job_id: str, max_bytes: int) -> Upload:
    """Let a job use the recording of a track: its uploaded bytes, else a copy of its file.

    Raises
    ------
    UploadNotFound : no file on record is there as it was when it was added.
    UploadTooLarge : it has more than ``max_bytes``.
    StorageFull : there is no space for the copy.
    """
    shared = store.share_upload(record.id, record.name, job_id)
    if shared is not None:
        return shared
    file = find_unchanged(record, store)
    if file is None:
        raise _gone(record)
    with store.open_upload(record.name, max_bytes) as writer:
        try:
            with Path(file.path).open("rb") as source:
                shutil.copyfileobj(source, writer, _CHUNK_BYTES)
        except OSError as error:  # of the file alone: the writer's are errors of ours
            raise _gone(record) from error
        upload = writer.commit(job_id)
    if upload.sha256 != record.id:  # rewritten with its size and time
        store.release_upload(upload.sha256, job_id)
        raise _gone(record)
    return upload


def _gone(record: LibraryRecord) -> UploadNotFound:
    return UploadNotFound(
        f"The file of '{record.title}' was moved, changed or deleted.",
        hint="Add it to the library again where it is now.",
        field="from_library",
    )


def remove_track(library: Library, store: JobStore, track_id: str) -> None:
    """Remove a track, what was made for players, and its bytes if they were uploaded for it.

    Raises `TrackNotFound`.
    """
    library.remove(track_id)
    store.forget_listening(track_id)
    store.release_upload(track_id, library_mark(library.owner))
