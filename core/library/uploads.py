"""Uploaded files in the library: the bytes stay in the store for as long as the track is known."""

from collections.abc import Sequence

from core.artifacts.store import JobStore, Upload
from core.library.importing import ImportReport, SourceFile, import_files
from core.library.library import Library

OWNER = "library"
"""What the store knows the library by, beside the ids of jobs."""


def add_uploads(
    library: Library,
    store: JobStore,
    uploads: Sequence[Upload],
    *,
    n_processes: int,
    max_duration_s: float | None,
) -> ImportReport:
    """Enter uploads; bytes of tracks that lie elsewhere already are not kept.

    The uploads belong to somebody else until then (`JobStore.release_upload`).
    """
    by_id = {upload.sha256: upload for upload in uploads}
    there = {s.id for s in library.summaries(list(by_id)) if not s.is_missing}
    sources = {
        upload.sha256: SourceFile(store.upload_path(upload.sha256).resolve(), upload.name)
        for upload in by_id.values()
        if upload.sha256 not in there
    }
    report = import_files(
        library,
        list(sources.values()),
        n_processes=n_processes,
        max_duration_s=max_duration_s,
    )
    for track_id in (*report.added, *report.known):
        store.adopt_upload(sources[track_id].path, track_id, OWNER)
    names = {str(source.path): source.name for source in sources.values()}
    report.refused = [refusal.called(names[refusal.path]) for refusal in report.refused]
    report.known += [track_id for track_id in by_id if track_id in there]
    return report


def remove_track(library: Library, store: JobStore, track_id: str) -> None:
    """Forget a track, and its bytes if they were uploaded for it. Raises `TrackNotFound`."""
    library.remove(track_id)
    store.release_upload(track_id, OWNER)
