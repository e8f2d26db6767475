"""Where the audio of a library's track lies: its own file, and the stems of its jobs."""

from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from core.artifacts.store import JobStore
from core.artifacts.upload_store import UPLOADS
from core.library.records.record import FileReference, LibraryRecord
from stemcrate.schemas.manifest import TrackRecord


@dataclass(frozen=True, slots=True)
class SeparatedTrack:
    """The track of a job that delivered stems."""

    job_id: str
    track: TrackRecord


def find_unchanged(record: LibraryRecord, store: JobStore) -> FileReference | None:
    """Return the first of a track's files that is as it was when it was added.

    Uploaded bytes are fetched where another host has them.

    Size and time of the last change are those on record, and the path leads over no symbolic link:
    what is read is the file that was added, and no other that took its place.
    """
    here = (_on_this_host(file, record.id, store) for file in record.files)
    return next((file for file in here if is_unchanged(file)), None)


def is_upload(file: FileReference, track_id: str) -> bool:
    """Return whether a file of a track is what was uploaded, on whichever host."""
    return file.path.endswith(f"/{UPLOADS}/{track_id}/audio")


def is_unchanged(file: FileReference) -> bool:
    """Return whether a file is as it was when it was added."""
    path = Path(file.path)
    try:
        status = path.stat()
        is_direct = path.resolve(strict=True) == path
    except OSError:
        return False
    same = (status.st_size, status.st_mtime_ns) == (file.bytes, file.modified_ns)
    return is_direct and same and S_ISREG(status.st_mode)


def find_separation(store: JobStore, record: LibraryRecord) -> SeparatedTrack | None:
    """Find the newest of a track's jobs that still exists and delivered stems."""
    for job in reversed(record.jobs):
        manifest = store.load_if_readable(job.job_id)
        if manifest is None:
            continue
        track = manifest.tracks[job.track_index]
        if any(artefact.role == "stem" for artefact in track.artefacts):
            return SeparatedTrack(job.job_id, track)
    return None


def _on_this_host(file: FileReference, track_id: str, store: JobStore) -> FileReference:
    if store.objects is None or not is_upload(file, track_id):
        return file
    return file.model_copy(update={"path": str(store.upload_path(track_id).resolve())})
