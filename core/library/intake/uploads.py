"""Uploaded files in the library: the bytes stay in the store for as long as the track is known."""

from core.artifacts.store import JobStore
from core.library.library import Library

OWNER = "library"
"""What the store knows the library by, beside the ids of jobs."""


def keep_upload(store: JobStore, track_id: str) -> None:
    """Keep uploaded bytes for the library, whatever becomes of the job that brought them."""
    store.adopt_upload(store.upload_path(track_id), track_id, OWNER)


def remove_track(library: Library, store: JobStore, track_id: str) -> None:
    """Forget a track, and its bytes if they were uploaded for it. Raises `TrackNotFound`."""
    library.remove(track_id)
    store.release_upload(track_id, OWNER)
