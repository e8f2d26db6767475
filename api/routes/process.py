"""A new job."""

from fastapi import APIRouter, Request, Response, status

from api.deps import ServicesDep
from api.links import job_path
from api.openapi import process_request_body
from api.problems import problem_responses
from api.submission import received, submit
from api.views import job_reference
from core import errors
from stemcrate.schemas.jobs import JobReceipt

RETRY_AFTER_S = "2"

router = APIRouter(tags=["jobs"])


@router.post(
    "/process",
    operation_id="submit_job",
    status_code=status.HTTP_202_ACCEPTED,
    openapi_extra=process_request_body(),
    responses=problem_responses(
        errors.EmptyFile,
        errors.NotAudio,
        errors.CorruptAudio,
        errors.ZeroDuration,
        errors.AudioTooLong,
        errors.UnreadableAudio,
        errors.UploadRefused,
        errors.InvalidOption,
        errors.UnknownModel,
        errors.UnsupportedFormat,
        errors.UploadTooLarge,
        errors.WebhookNotFound,
        errors.QuotaExceeded,
        errors.ModelUnavailable,
        errors.StorageFull,
        errors.ServerBusy,
        errors.ScannerUnavailable,
        errors.DatabaseUnavailable,
    ),
)
async def submit_job(request: Request, services: ServicesDep, response: Response) -> JobReceipt:
    """Take in files and options, and queue a job.

    The parts may come in any order. A request that is refused leaves nothing behind.
    """
    async with received(request, services) as intake:
        manifest = await submit(services, intake)
    response.headers["Location"] = job_path(manifest.job_id)
    response.headers["Retry-After"] = RETRY_AFTER_S
    return job_reference(manifest.job_id, manifest.state)
