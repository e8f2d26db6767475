"""The files and fields of a multipart request, as far as they have arrived.

Files go straight to the store; the client's file name is only a label.
"""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Protocol, get_origin

from core.artifacts.incoming import open_incoming
from core.artifacts.names import clean_name
from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload, UploadWriter
from core.errors import InvalidOption, UploadBusy, UploadNotFound
from core.library.intake.uploads import send_recording
from core.library.library import Library
from stemcrate.schemas.options import ProcessingOptions

FILE_FIELDS = ("file", "files")
UPLOAD_IDS = "upload_ids"
FROM_JOB = "from_job"
FROM_LIBRARY = "from_library"
WEBHOOK_ID = "webhook_id"
LIST_FIELDS = {
    name: "," if get_origin(field.annotation) is tuple else ";"
    for name, field in ProcessingOptions.model_fields.items()
    if get_origin(field.annotation) in (tuple, dict)
}
"""What joins the parts of an option that may be sent in several."""
MAX_FIELD_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one request."""

    max_upload_bytes: int
    max_files_per_job: int
    count_upload: Callable[[int], None] = lambda _: None
    """Called with the bytes of each file that was sent; raises once they are too many."""


class Part(Protocol):
    """A part of the body that is being received."""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""

    def end(self) -> None:
        """Take note that the part is complete."""


class Intake:
    """The files and fields of one request that have arrived so far."""

    def __init__(self, store: JobStore, library: Library, job_id: str, limits: Limits) -> None:
        self.store = store
        self.library = library
        self.job_id = job_id
        self.limits = limits
        self.uploads: list[Upload] = []
        self.claimed: list[str] = []
        self.webhook_id: str | None = None
        self._incoming = open_incoming(store.storage, store.owner)
        self.n_files = 0
        self.open_writer = ExitStack()
        self._fields: dict[str, list[str]] = {}
        self._field_bytes: Counter[str] = Counter()

    def begin_part(self, name: str, file_name: str | None) -> Part:
        """Start the next part. Raises `InvalidOption` for an unknown part."""
        if name in FILE_FIELDS:
            self._count_file()
            return _FilePart(self, clean_name(file_name or ""))
        claims = {
            UPLOAD_IDS: self.claim,
            FROM_JOB: self.claim_tracks,
            FROM_LIBRARY: self.claim_recording,
            WEBHOOK_ID: self.name_webhook,
        }
        if name in claims:
            return _ClaimPart(self, name, claims[name])
        if name not in ProcessingOptions.model_fields:
            raise InvalidOption(
                f"There is no option '{name}'.",
                hint="Send audio as 'file'; GET /config lists the options.",
                field=name,
            )
        return _FieldPart(self, name)

    def count_field(self, name: str, n_bytes: int) -> None:
        """Count the bytes of an option over all its parts. Raises `InvalidOption`."""
        self._field_bytes[name] += n_bytes
        if self._field_bytes[name] > MAX_FIELD_BYTES:
            raise InvalidOption(
                f"The option '{name}' is longer than {MAX_FIELD_BYTES} bytes.", field=name
            )

    def add_field(self, name: str, value: str) -> None:
        """Store an option; only lists may come in several parts."""
        self.count_field(name, 1)  # the boundary before the next part
        values = self._fields.setdefault(name, [])
        if values and name not in LIST_FIELDS:
            raise InvalidOption(
                f"The option '{name}' was given twice.", hint="Send it once.", field=name
            )
        values.append(value)

    def claim(self, upload_id: str) -> None:
        """Use a complete resumable upload. Raises `UploadNotFound`, `UploadIncomplete`."""
        if upload_id in self.claimed:
            raise InvalidOption(f"The upload '{upload_id}' was named twice.", field=UPLOAD_IDS)
        self._count_file()
        self.uploads.append(self._incoming.take(upload_id, self.store, self.job_id))
        self.claimed.append(upload_id)

    def claim_tracks(self, job_id: str) -> None:
        """Use the files of another job. Raises `JobNotFound`, `UploadNotFound`."""
        for track in self.store.load(job_id).tracks:
            self._count_file()
            source = track.source
            upload = self.store.share_upload(source.sha256, source.name, self.job_id)
            if upload is None:
                raise UploadNotFound(
                    f"The file '{source.name}' is no longer on the server.",
                    hint="Upload it again.",
                    field=FROM_JOB,
                )
            self.uploads.append(upload)

    def claim_recording(self, track_id: str) -> None:
        """Use the file of a track of the library.

        Raises `TrackNotFound`, `UploadNotFound`, `UploadTooLarge`.
        """
        self._count_file()
        record = self.library.record(track_id)
        upload = send_recording(self.store, record, self.job_id, self.limits.max_upload_bytes)
        self.uploads.append(upload)

    def name_webhook(self, webhook_id: str) -> None:
        """Note the webhook that is told the job's end."""
        if self.webhook_id is not None:
            raise InvalidOption("A job names one webhook.", field=WEBHOOK_ID)
        self.webhook_id = webhook_id

    def finish(self) -> None:
        """Remove the resumable uploads that the job has taken over."""
        for upload_id in self.claimed:
            with suppress(UploadNotFound, UploadBusy):
                self._incoming.remove(upload_id)

    def options(self) -> dict[str, str]:
        """Return the options as text, by name; the parts of a list are joined."""
        return {name: LIST_FIELDS.get(name, "").join(v) for name, v in self._fields.items()}

    def discard(self) -> None:
        """Remove everything that a refused request sent; a job that exists keeps its files."""
        self.open_writer.close()
        if self.store.exists(self.job_id):
            return
        for upload in self.uploads:
            self.store.release_upload(upload.sha256, self.job_id)

    def _count_file(self) -> None:
        self.n_files += 1
        if self.n_files > self.limits.max_files_per_job:
            raise InvalidOption(
                f"A job takes at most {self.limits.max_files_per_job} files.",
                hint="Send them as several jobs, or raise MAX_FILES_PER_JOB.",
                field="file",
            )


class _FilePart:
    def __init__(self, intake: Intake, name: str) -> None:
        self._intake = intake
        writer = intake.store.open_upload(name, intake.limits.max_upload_bytes)
        self._writer: UploadWriter = intake.open_writer.enter_context(writer)

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def end(self) -> None:
        upload = self._writer.commit(self._intake.job_id)
        self._intake.uploads.append(upload)
        self._intake.open_writer.close()
        self._intake.limits.count_upload(upload.n_bytes)


class _FieldPart:
    def __init__(self, intake: Intake, name: str) -> None:
        self._intake = intake
        self._name = name
        self._data = bytearray()

    def write(self, data: bytes) -> None:
        self._intake.count_field(self._name, len(data))
        self._data += data

    def end(self) -> None:
        self._intake.add_field(self._name, decode_text(bytes(self._data)))


class _ClaimPart(_FieldPart):
    """A field that names what the server already has: files, a webhook."""

    def __init__(self, intake: Intake, name: str, claim: Callable[[str], None]) -> None:
        super().__init__(intake, name)
        self._claim = claim

    def end(self) -> None:
        for name in re.split(r"[,\s]+", decode_text(bytes(self._data))):
            if name:
                self._claim(name)


def decode_text(data: bytes) -> str:
    """Decode a header or field as UTF-8, the encoding of forms; older clients send Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
