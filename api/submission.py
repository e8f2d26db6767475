"""From what a request sent to a job in the queue: options read, model checked, files probed.

Files are opened in the prober's processes alone. Who waits for a place there holds none of the
threads that the routes share.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.deps import Services
from api.intake import Intake, Limits
from api.library_views import adding_view
from api.places import run_in_place
from api.problems import FilesRefused
from api.uploads import discard, receive_form
from core.artifacts.store import new_job_id
from core.artifacts.uploads import Upload
from core.errors import InvalidAudio, InvalidOption
from core.jobs.addition import sort_uploads, submit_addition
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

    Raises `InvalidOption`, `UploadTooLarge`, `StorageFull`.
    """
    # Before the body is read: its bytes are not sent in vain, and fill the disk no further.
    require_free(services.store.data_dir, services.settings.min_free_bytes)
    limits = Limits(services.settings.max_upload_bytes, services.settings.max_files_per_job)
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
    `FilesRefused`, `StorageFull`, `ServerBusy`, `ScannerUnavailable`, `DatabaseUnavailable`.
    """
    options = await run_in_threadpool(_read_options, services, intake)
    refusals = await find_refusals(services, intake.uploads)
    if refusals:
        raise FilesRefused([(upload.name, error) for upload, error in refusals])
    return await run_in_threadpool(services.jobs.submit, intake.uploads, options, intake.job_id)


async def submit_to_library(services: Services, intake: Intake) -> Adding:
    """Queue a job that analyses the files for the library, if any is new and can be read.

    Raises `InvalidOption`, `StorageFull`, `ServerBusy`, `ScannerUnavailable`,
    `DatabaseUnavailable`.
    """
    if intake.options():
        raise InvalidOption(
            "The library takes files alone.",
            hint="POST /process takes options.",
            field=next(iter(intake.options())),
        )
    _require_files(intake)
    addition = await run_in_threadpool(sort_uploads, services.library, intake.uploads)
    refusals = await find_refusals(services, addition.new)
    state = await run_in_threadpool(
        submit_addition,
        services.jobs,
        services.store,
        addition,
        [upload for upload, _ in refusals],
        intake.job_id,
    )
    return adding_view(
        intake.job_id if state is not None else None,
        list(addition.known),
        [(upload.name, error) for upload, error in refusals],
    )


async def find_refusals(
    services: Services, uploads: Sequence[Upload]
) -> list[tuple[Upload, InvalidAudio]]:
    """Scan and probe files; return unusable ones with the reason.

    Raises `ServerBusy`, `ScannerUnavailable`.
    """

    def find_refusal(path: Path, name: str) -> InvalidAudio | None:
        return services.scanner.find_refusal(path, name) or services.prober.find_refusal(path, name)

    refusals: list[tuple[Upload, InvalidAudio]] = []
    for upload in uploads:
        path = services.store.upload_path(upload.sha256)
        error = await run_in_place(services.probing, find_refusal, path, upload.name)
        if error is not None:
            refusals.append((upload, error))
    return refusals


def _read_options(services: Services, intake: Intake) -> ProcessingOptions:
    defaults = services.settings.default_options()
    options = parse_options(intake.options(), defaults)
    _require_files(intake)
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
