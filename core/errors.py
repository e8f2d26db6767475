"""The one exception tree.

    StemcrateError                    code                  retryable
    ├── InvalidAudio                  invalid_audio
    │   ├── EmptyFile                 empty_file
    │   ├── NotAudio                  not_audio
    │   ├── CorruptAudio              corrupt_audio
    │   ├── ZeroDuration              zero_duration
    │   ├── AudioTooLong              audio_too_long
    │   ├── UnreadableAudio           unreadable_audio
    │   └── UploadRefused             upload_refused
    ├── UploadTooLarge                upload_too_large
    ├── UploadNotFound                upload_not_found
    ├── UploadIncomplete              upload_incomplete
    ├── UploadOffsetMismatch          upload_offset_mismatch
    ├── ChecksumMismatch              checksum_mismatch     yes
    ├── UploadBusy                    upload_busy           yes
    ├── InvalidOption                 invalid_option
    │   ├── UnknownModel              unknown_model
    │   ├── UnsupportedFormat         unsupported_format
    │   ├── InvalidList               invalid_list
    │   └── InvalidLink               invalid_link
    │       └── AddressForbidden      address_forbidden
    ├── SourceNotFound                source_not_found
    ├── SourceUnavailable             source_unavailable    yes
    ├── ModelUnavailable              model_unavailable
    ├── UnsafeWeights                 unsafe_weights
    ├── PluginFailed                  plugin_failed
    ├── DeviceUnavailable             device_unavailable
    ├── JobNotFound                   job_not_found
    ├── ArtefactNotFound              artefact_not_found
    ├── TrackNotFound                 track_not_found
    ├── PlaylistNotFound              playlist_not_found
    ├── CollectionNotFound            collection_not_found
    ├── FolderNotFound                folder_not_found
    ├── ImportNotFound                import_not_found
    ├── IngestNotFound                ingest_not_found
    ├── EnrichmentNotFound            enrichment_not_found
    ├── DeckNotFound                  deck_not_found
    ├── DeckUnavailable               deck_unavailable      yes
    ├── TransferNotFound              transfer_not_found
    ├── TransferFailed                transfer_failed
    ├── TrackChanged                  track_changed
    ├── PlaylistChanged               playlist_changed
    ├── GridLocked                    grid_locked
    ├── BatchNotFound                 batch_not_found
    ├── WebhookNotFound               webhook_not_found
    ├── DeliveryNotFound              delivery_not_found
    ├── RenderNotFound                render_not_found
    ├── FetchNotFound                 fetch_not_found
    ├── KeyRequired                   key_required
    ├── ScopeMissing                  scope_missing
    ├── KeyNotFound                   key_not_found
    ├── QuotaExceeded                 quota_exceeded        yes
    ├── JobNotFinished                job_not_finished      yes
    ├── RenderNotFinished             render_not_finished   yes
    ├── BeatGridMissing               beat_grid_missing
    ├── JobNotRetryable               job_not_retryable
    ├── JobCancelled                  job_cancelled
    ├── StageFailed                   stage_failed
    ├── WorkerLost                    worker_lost           yes
    ├── DatabaseUnavailable           database_unavailable  yes
    ├── StorageUnavailable            storage_unavailable   yes
    ├── ServerBusy                    server_busy           yes
    ├── ScannerUnavailable            scanner_unavailable   yes
    └── StorageFull                   storage_full          yes

Every class has a stable ``code``; every instance a sentence for people and a hint that says what to
do. ``retryable`` says whether the cause may pass, so that the same work may succeed later: a failed
job keeps the uploads of such failures and can be tried again. HTTP status codes live in
``api/problems.py``, exit codes in ``cli``. Programming errors stay ``ValueError`` and
``TypeError``.
"""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from stemcrate.schemas.quotas import Allowance


class StemcrateError(Exception):
    """Root of every error that Stemcrate raises on purpose.

    Parameters
    ----------
    message : what went wrong, naming the file or the value.
    hint : what to do about it; may be empty.
    field : name of the option or form field at fault, where there is one.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field

    def __reduce__(self) -> tuple[object, ...]:
        """Keep ``hint`` and ``field`` when an error crosses a process boundary."""
        return (_rebuild, (type(self), self.message, self.hint, self.field))

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def _rebuild(
    cls: type[StemcrateError], message: str, hint: str, field: str | None
) -> StemcrateError:
    return cls(message, hint=hint, field=field)


class InvalidAudio(StemcrateError):
    """The file cannot be used as a mixture."""

    code = "invalid_audio"


class EmptyFile(InvalidAudio):
    """The file has no bytes."""

    code = "empty_file"


class NotAudio(InvalidAudio):
    """No decoder recognises the file, or it holds no audio track."""

    code = "not_audio"


class CorruptAudio(InvalidAudio):
    """A decoder recognises the file but cannot decode it to its end."""

    code = "corrupt_audio"


class ZeroDuration(InvalidAudio):
    """The file is valid but holds no samples."""

    code = "zero_duration"


class AudioTooLong(InvalidAudio):
    """The recording is longer than the limit."""

    code = "audio_too_long"


class UnreadableAudio(InvalidAudio):
    """Reading the file took too long or too much memory, or crashed the decoder."""

    code = "unreadable_audio"


class UploadRefused(InvalidAudio):
    """The operator's scanner refuses the file."""

    code = "upload_refused"


class UploadTooLarge(StemcrateError):
    """More bytes arrived than the limit allows."""

    code = "upload_too_large"


class UploadNotFound(StemcrateError):
    """No resumable upload has this id."""

    code = "upload_not_found"


class UploadIncomplete(StemcrateError):
    """The request needs a whole file, of which a part has not arrived."""

    code = "upload_incomplete"


class UploadOffsetMismatch(StemcrateError):
    """A part of an upload does not start where the last one ended."""

    code = "upload_offset_mismatch"


class ChecksumMismatch(StemcrateError):
    """A part of an upload does not have the announced checksum; nothing of it is kept."""

    code = "checksum_mismatch"
    retryable = True


class UploadBusy(StemcrateError):
    """Another request is sending a part of the same upload."""

    code = "upload_busy"
    retryable = True


class InvalidOption(StemcrateError):
    """An option has an invalid value; ``field`` names it."""

    code = "invalid_option"


class UnknownModel(InvalidOption):
    """No separator model has this name."""

    code = "unknown_model"


class UnsupportedFormat(InvalidOption):
    """No encoder supports this format, or this bit depth in it."""

    code = "unsupported_format"


class InvalidList(InvalidOption):
    """A list of tracks cannot be read."""

    code = "invalid_list"


class InvalidLink(InvalidOption):
    """An address is malformed, or of a kind that is not called."""

    code = "invalid_link"


class AddressForbidden(InvalidLink):
    """A link leads to a host that may not be called, such as one of the server's own network."""

    code = "address_forbidden"


class SourceNotFound(StemcrateError):
    """A link leads to nothing that can be fetched."""

    code = "source_not_found"


class SourceUnavailable(StemcrateError):
    """What a link leads to does not answer, or breaks off."""

    code = "source_unavailable"
    retryable = True


class ModelUnavailable(StemcrateError):
    """The weights of a known model, or a package that it needs, are missing."""

    code = "model_unavailable"


class PluginFailed(StemcrateError):
    """An installed package provides a plug-in that cannot be loaded."""

    code = "plugin_failed"


class UnsafeWeights(StemcrateError):
    """A weights file fails its checksum or holds something other than weights."""

    code = "unsafe_weights"


class DeviceUnavailable(StemcrateError):
    """The requested device does not exist on this machine."""

    code = "device_unavailable"


class JobNotFound(StemcrateError):
    """No job has this id."""

    code = "job_not_found"


class ArtefactNotFound(StemcrateError):
    """The job has no artefact of this name."""

    code = "artefact_not_found"


class TrackNotFound(StemcrateError):
    """The library has no track with this id."""

    code = "track_not_found"


class PlaylistNotFound(StemcrateError):
    """No playlist has this id."""

    code = "playlist_not_found"


class CollectionNotFound(StemcrateError):
    """No collection has this id."""

    code = "collection_not_found"


class FolderNotFound(StemcrateError):
    """No folder that may be added has this path."""

    code = "folder_not_found"


class ImportNotFound(StemcrateError):
    """No import of a folder has this id, or it is over."""

    code = "import_not_found"


class IngestNotFound(StemcrateError):
    """No ingest of links or lists has this id, or it is over."""

    code = "ingest_not_found"


class EnrichmentNotFound(StemcrateError):
    """No run of the enrichers has this id, or it is over."""

    code = "enrichment_not_found"


class DeckNotFound(StemcrateError):
    """No player of this name, id or address is heard on the network."""

    code = "deck_not_found"


class DeckUnavailable(StemcrateError):
    """A player does not give what is asked of it, or breaks off."""

    code = "deck_unavailable"
    retryable = True


class TransferNotFound(StemcrateError):
    """No transfer has this id, or it is over."""

    code = "transfer_not_found"


class TransferFailed(StemcrateError):
    """A target takes no files, or changes them."""

    code = "transfer_failed"


class TrackChanged(StemcrateError):
    """The track has changed since the version that the request names."""

    code = "track_changed"


class PlaylistChanged(StemcrateError):
    """The playlist has changed since the version that the request names."""

    code = "playlist_changed"


class GridLocked(StemcrateError):
    """The beat grid of the track is locked against changes."""

    code = "grid_locked"


class BatchNotFound(StemcrateError):
    """No batch has this id."""

    code = "batch_not_found"


class WebhookNotFound(StemcrateError):
    """No webhook has this id."""

    code = "webhook_not_found"


class DeliveryNotFound(StemcrateError):
    """The webhook has no delivery with this id."""

    code = "delivery_not_found"


class RenderNotFound(StemcrateError):
    """No render has this id, or it was removed meanwhile."""

    code = "render_not_found"


class FetchNotFound(StemcrateError):
    """No download of this model's weights was requested, or it was cancelled meanwhile."""

    code = "fetch_not_found"


class RenderNotFinished(StemcrateError):
    """The request needs the file of a render that has none yet, or never got one."""

    code = "render_not_finished"
    retryable = True


class BeatGridMissing(StemcrateError):
    """A track has no beat grid, which the request needs."""

    code = "beat_grid_missing"


class KeyRequired(StemcrateError):
    """The request has no valid key of the API."""

    code = "key_required"


class ScopeMissing(StemcrateError):
    """The key of the request does not permit the operation."""

    code = "scope_missing"


class KeyNotFound(StemcrateError):
    """There is no key of the API with this id."""

    code = "key_not_found"


class QuotaExceeded(StemcrateError):
    """The owner has used what the operator allows of something.

    ``left`` is what is left of it, ``retry_after_s`` when to ask again.
    """

    code = "quota_exceeded"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        field: str | None = None,
        left: "Allowance | None" = None,
        retry_after_s: int = 60,
    ) -> None:
        super().__init__(message, hint=hint, field=field)
        self.left = left
        self.retry_after_s = retry_after_s


class JobNotFinished(StemcrateError):
    """The request needs a job that has ended; this one has not."""

    code = "job_not_finished"
    retryable = True


class JobNotRetryable(StemcrateError):
    """The job cannot be tried again: it has not ended, or nothing of it would end otherwise."""

    code = "job_not_retryable"


class IdempotencyKeyInUse(StemcrateError):
    """A request with the same `Idempotency-Key` has not been answered yet."""

    code = "idempotency_key_in_use"
    retryable = True


class IdempotencyKeyReused(StemcrateError):
    """Another request had the same `Idempotency-Key`."""

    code = "idempotency_key_reused"


class JobCancelled(StemcrateError):
    """The job was cancelled while this work was running."""

    code = "job_cancelled"


class StageFailed(StemcrateError):
    """A stage raised something that is not in this tree; the cause is kept."""

    code = "stage_failed"


class WorkerLost(StemcrateError):
    """The process that ran a stage died."""

    code = "worker_lost"
    retryable = True


class DatabaseUnavailable(StemcrateError):
    """The database of jobs and library does not answer, or another program has locked it."""

    code = "database_unavailable"
    retryable = True


class StorageUnavailable(StemcrateError):
    """The object store does not answer, or has not what was stored."""

    code = "storage_unavailable"
    retryable = True


class ServerBusy(StemcrateError):
    """All places for this kind of work are taken."""

    code = "server_busy"
    retryable = True


class ScannerUnavailable(StemcrateError):
    """The operator's scanner of uploads does not answer."""

    code = "scanner_unavailable"
    retryable = True


class StorageFull(StemcrateError):
    """The disk is too full for what has to be written."""

    code = "storage_full"
    retryable = True
