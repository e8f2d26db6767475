"""Uploaded files of the library: the store keeps the bytes as long as the track exists."""

from core.artifacts.store import JobStore
from core.library.library import Library

OWNER = "library"
"""What the store knows the library by, beside the ids of jobs."""


def keep_upload(store: JobStore, track_id: str) -> None:
    """Keep uploaded bytes for the library, independent of the job that they came with."""
    store.adopt_upload(store.upload_path(track_id), track_id, OWNER)


def remove_track(library: Library, store: JobStore, track_id: str) -> None:
    """Remove a track, and its bytes if they were uploaded for it. Raises `TrackNotFound`."""
    library.remove(track_id)
    store.release_upload(track_id, OWNER)
