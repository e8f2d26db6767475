"""Uploads in parts that survive cut connections and restarts (tus 1.0)."""

import base64
import hashlib
import os
import time
from typing import BinaryIO

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.client.errors import ApiError, ApiUnreachable
from stemcrate.client.uploads import Upload, UploadProgress, opened
from stemcrate.schemas.uploads import TUS_VERSION, UploadState

PART_BYTES = 8 << 20
MAX_RETRIES = 6
FIRST_PAUSE_S = 0.5
"""Doubled with each retry: about half a minute in all."""
_PASSING = {
    "upload_busy",  # the server has not noticed yet that the last connection was cut
    "upload_offset_mismatch",
    "checksum_mismatch",
    "api_unreachable",  # the workbench answers, the API behind it does not
    "bad_gateway",
}


class ResumableCalls(Calls):
    """Resumable uploads. Each call with an id raises `ApiError` ``upload_not_found`` (404)."""

    def create_upload(self, name: str, n_bytes: int) -> UploadState:
        """Start an upload of ``n_bytes``; `upload_file` does all of it.

        Raises `ApiError` 413 ``upload_too_large`` or 507 ``storage_full``.
        """
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
        headers = {**_VERSION, "Upload-Length": str(n_bytes), "Upload-Metadata": metadata}
        return self._api.read("POST", "/uploads", UploadState, headers=headers)

    def get_upload(self, upload_id: str) -> UploadState:
        """Return how much of a file has arrived."""
        return self._api.read("GET", path_of("uploads", upload_id), UploadState, headers=_VERSION)

    def append_upload(self, upload_id: str, offset: int, data: bytes) -> None:
        """Append a part with its checksum.

        Raises `ApiError` 409 ``upload_offset_mismatch``, 423 ``upload_busy``, 460
        ``checksum_mismatch`` or 507 ``storage_full``.
        """
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        headers = {
            **_VERSION,
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {digest}",
        }
        self._api.tell("PATCH", path_of("uploads", upload_id), data=data, headers=headers)

    def delete_upload(self, upload_id: str) -> None:
        """Delete an upload; a job that took it keeps its file."""
        self._api.tell("DELETE", path_of("uploads", upload_id), headers=_VERSION)

    def upload_file(
        self,
        file: Upload,
        *,
        upload_id: str | None = None,
        progress: UploadProgress | None = None,
    ) -> UploadState:
        """Upload a file in parts and return the complete upload, for ``submit_job(upload_ids=…)``.

        After a cut connection it continues where the API stands; it gives up after
        ``MAX_RETRIES`` failures in a row. To continue later, or in another process, pass the id.

        Parameters
        ----------
        file : a path or `NamedFile`.
        upload_id : an unfinished upload of the same file.
        progress : called with the bytes that have arrived and the size of the file.

        Raises
        ------
        ApiError : also 404 ``upload_not_found`` if the upload has expired.
        ValueError : ``upload_id`` is an upload of a file of another size.
        """
        with opened(file) as named:
            n_bytes = named.content.seek(0, os.SEEK_END)
            state = (
                self.get_upload(upload_id) if upload_id else self.create_upload(named.name, n_bytes)
            )
            if state.bytes != n_bytes:
                raise ValueError(f"the upload {state.id} has {state.bytes} bytes, not {n_bytes}")
            return self._send_rest(named.content, state, progress or (lambda sent, total: None))

    def _send_rest(
        self, content: BinaryIO, state: UploadState, progress: UploadProgress
    ) -> UploadState:
        n_failures = 0
        while not state.is_complete:
            try:
                content.seek(state.offset)
                self.append_upload(state.id, state.offset, content.read(PART_BYTES))
                state = self.get_upload(state.id)
                n_failures = 0
                progress(state.offset, state.bytes)
            except (ApiUnreachable, ApiError) as error:
                n_failures += 1
                if not _is_passing(error) or n_failures > MAX_RETRIES:
                    raise
                time.sleep(FIRST_PAUSE_S * 2 ** (n_failures - 1))
                state = self._look_again(state)
        return state

    def _look_again(self, state: UploadState) -> UploadState:
        """Return where the API stands, or where it stood if it is still away."""
        try:
            return self.get_upload(state.id)
        except (ApiUnreachable, ApiError) as error:
            if _is_passing(error):
                return state
            raise


_VERSION = {"Tus-Resumable": TUS_VERSION}


def _is_passing(error: ApiUnreachable | ApiError) -> bool:
    return isinstance(error, ApiUnreachable) or error.code in _PASSING
