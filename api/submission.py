"""From what a request sent to a job in the queue: options read, model checked, files probed.

Files are opened in the prober's processes alone. Who waits for a place there holds none of the
threads that the routes share.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.deps import Services
from api.intake import WEBHOOK_ID, Intake, Limits
from api.library_views import adding_view
from api.places import run_in_place
from api.problems import FilesRefused
from api.uploads import MAX_OUTSIDE_BYTES, discard, receive_form
from core.artifacts.job_ids import new_job_id
from core.artifacts.uploads import Upload
from core.errors import InvalidAudio, InvalidOption
from core.jobs.addition import sort_uploads, submit_addition
from core.jobs.examination import examine
from core.pipeline.composites import check_composites
from core.pipeline.options import parse_options
from core.pipeline.separating import plan_with
from core.system.disk import require_free
from stemcrate.schemas.library import Adding
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.options import ProcessingOptions


@asynccontextmanager
async def received(request: Request, services: Services) -> AsyncIterator[Intake]:
    """Yield the files and fields of a request. Nothing of it is left where the block raises.

    Resumable uploads that it names stay until the block ends well.

    Raises `InvalidOption`, `UploadTooLarge`, `StorageFull`, `QuotaExceeded`.
    """
    # Before the body is read: its bytes are not sent in vain, and fill the disk no further.
    require_free(services.store.data_dir, services.settings.min_free_bytes)
    quotas = services.quotas
    await run_in_threadpool(quotas.require_places)
    await run_in_threadpool(quotas.require_room, _announced_bytes(request))
    limits = Limits(
        services.settings.max_upload_bytes,
        services.settings.max_files_per_job,
        quotas.count_upload,
    )
    # A request that is repeated with its Idempotency-Key makes no second job.
    job_id = getattr(request.state, "job_id", None) or new_job_id()
    intake = Intake(services.store, services.library, job_id, limits)
    try:
        await receive_form(request, intake)
        yield intake
    except BaseException:
        await discard(intake)
        raise
    await run_in_threadpool(intake.finish)


async def submit(services: Services, intake: Intake) -> ProcessingManifest:
    """Check everything that can be known now, then queue the job.

    Raises `InvalidOption`, `UnknownModel`, `UnsupportedFormat`, `ModelUnavailable`,
    `FilesRefused`, `WebhookNotFound`, `QuotaExceeded`, `StorageFull`, `ServerBusy`,
    `ScannerUnavailable`, `DatabaseUnavailable`.
    """
    options = await run_in_threadpool(_read_options, services, intake)
    if intake.webhook_id is not None:
        await run_in_threadpool(services.webhooks.webhooks.get, intake.webhook_id)
    found = await examine_all(services, intake.uploads)
    if found.refusals:
        raise FilesRefused([(upload.name, error) for upload, error in found.refusals])
    await run_in_threadpool(services.quotas.count_audio, found.duration_s)

    def submit_job() -> ProcessingManifest:
        return services.jobs.submit(
            intake.uploads, options, intake.job_id, webhook_id=intake.webhook_id
        )

    return await run_in_threadpool(submit_job)


async def submit_to_library(services: Services, intake: Intake) -> Adding:
    """Queue a job that analyses the files for the library, if any is new and can be read.

    Raises `InvalidOption`, `QuotaExceeded`, `StorageFull`, `ServerBusy`, `ScannerUnavailable`,
    `DatabaseUnavailable`.
    """
    if intake.options() or intake.webhook_id:
        raise InvalidOption(
            "The library takes files alone.",
            hint="POST /process takes options.",
            field=next(iter(intake.options()), WEBHOOK_ID),
        )
    _require_files(intake)
    addition = await run_in_threadpool(sort_uploads, services.library, intake.uploads)
    found = await examine_all(services, addition.new)
    await run_in_threadpool(services.quotas.count_audio, found.duration_s)
    state = await run_in_threadpool(
        submit_addition,
        services.jobs,
        services.store,
        addition,
        [upload for upload, _ in found.refusals],
        intake.job_id,
    )
    return adding_view(
        intake.job_id if state is not None else None,
        list(addition.known),
        [(upload.name, error) for upload, error in found.refusals],
    )


@dataclass(frozen=True, slots=True)
class Examined:
    """Files that cannot be used with the reasons, and the duration of all others."""

    refusals: list[tuple[Upload, InvalidAudio]]
    duration_s: float


async def examine_all(services: Services, uploads: Sequence[Upload]) -> Examined:
    """Scan and probe files. Raises `ServerBusy`, `ScannerUnavailable`."""

    def look_into(path: Path, upload: Upload) -> float | InvalidAudio:
        try:
            return examine(services.scanner, services.prober, path, upload)
        except InvalidAudio as error:
            return error

    refusals: list[tuple[Upload, InvalidAudio]] = []
    total_s = 0.0
    for upload in uploads:
        path = services.store.upload_path(upload.sha256)
        found = await run_in_place(services.probing, look_into, path, upload)
        if isinstance(found, InvalidAudio):
            refusals.append((upload, found))
        else:
            total_s += found
    return Examined(refusals, total_s)


def _announced_bytes(request: Request) -> int:
    """Return how many bytes of files a request says that it sends, at least."""
    length = request.headers.get("content-length", "")
    return max(0, int(length) - MAX_OUTSIDE_BYTES) if length.isdecimal() else 0


def _read_options(services: Services, intake: Intake) -> ProcessingOptions:
    options = read_options(services, intake.options())
    _require_files(intake)
    return options


def read_options(services: Services, texts: Mapping[str, str]) -> ProcessingOptions:
    """Read the options of a job over the installation's defaults, and check that it can run.

    Raises `InvalidOption`, `UnknownModel`, `UnsupportedFormat`, `ModelUnavailable`.
    """
    defaults = services.settings.default_options()
    options = parse_options(texts, defaults)
    if options.separates:
        plan = plan_with(options, services.inventory())
        check_composites(options, defaults, plan.made)
    return options


def _require_files(intake: Intake) -> None:
    if not intake.uploads:
        raise InvalidOption(
            "No file was sent.",
            hint="Send audio as multipart parts named 'file', or name uploads in 'upload_ids'.",
            field="file",
        )
