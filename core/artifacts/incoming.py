"""Uploads in parts, in the data folder or where hosts share them."""

from core.artifacts.resumable import ResumableUploads
from core.system.storage import Storage


def open_incoming(storage: Storage, owner: str | None = None) -> ResumableUploads:
    """Return the uploads in parts of an owner, or of all."""
    if not storage.is_shared:
        return ResumableUploads(storage.data_dir, owner)
    # Imported late: who shares nothing does not wait for the client of object stores.
    from core.artifacts.shared_uploads import SharedUploads

    return SharedUploads(storage, owner)
