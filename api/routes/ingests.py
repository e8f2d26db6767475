"""Links and lists of tracks that a worker fetches."""

from fastapi import APIRouter, Response, status

from api.bodies import JsonRoute
from api.deps import Services, ServicesDep
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from api.submission import read_options
from core import errors
from stemcrate.schemas.ingests import (
    Ingest,
    IngestManifest,
    IngestRecord,
    IngestRequest,
    Ingests,
)

router = APIRouter(tags=["library"], route_class=JsonRoute)


@router.post(
    "/ingest",
    operation_id="create_ingest",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(
        errors.InvalidOption,
        errors.InvalidLink,
        errors.InvalidList,
        errors.UnknownModel,
        errors.UnsupportedFormat,
        errors.ModelUnavailable,
        errors.SourceNotFound,
        errors.QuotaExceeded,
        errors.StorageFull,
        errors.DatabaseUnavailable,
    ),
)
def create_ingest(request: IngestRequest, services: ServicesDep, response: Response) -> Ingest:
    """Fetch what links and lists name, into the library or into a job with the same id.

    Only send what you have the right to copy. What the library has is not fetched again, so an
    ingest that failed or was cancelled goes on when it is sent again.
    """
    record = _request(services, request)
    response.headers["Location"] = f"/ingest/{record.id}"
    response.headers["Retry-After"] = RETRY_AFTER_S
    return _view(record)


@router.get("/ingest", operation_id="list_ingests", responses=problem_responses())
def list_ingests(services: ServicesDep) -> Ingests:
    """List the last ingests, newest first."""
    return Ingests(ingests=[_view(record) for record in services.ingests.ingests.all()])


@router.get(
    "/ingest/{id}",
    operation_id="get_ingest",
    responses=problem_responses(errors.IngestNotFound),
)
def get_ingest(id: str, services: ServicesDep, response: Response) -> Ingest:
    """Return state and progress of an ingest."""
    record = services.ingests.ingests.load(id)
    if not record.state.is_final:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return _view(record)


@router.get(
    "/ingest/{id}/manifest",
    operation_id="get_ingest_manifest",
    responses=problem_responses(errors.IngestNotFound),
)
def get_ingest_manifest(id: str, services: ServicesDep) -> IngestManifest:
    """Return every track with what became of it: a list that can be sent again, or elsewhere."""
    return IngestManifest(tracks=services.ingests.ingests.tracks(id))


@router.post(
    "/ingest/{id}/cancel",
    operation_id="cancel_ingest",
    responses=problem_responses(errors.IngestNotFound, errors.StorageFull),
)
def cancel_ingest(id: str, services: ServicesDep) -> Ingest:
    """Cancel an ingest; tracks that were added stay. One that has ended is unchanged."""
    return _view(services.ingests.ingests.cancel(id))


def _request(services: Services, request: IngestRequest) -> IngestRecord:
    options = None if request.job is None else read_options(services, request.job)
    if not services.settings.ingest_links:
        raise errors.SourceNotFound(
            "No links are fetched by this installation.",
            hint="Its operator can switch them on: INGEST_LINKS.",
        )
    return services.ingests.request(request, options)


def _view(record: IngestRecord) -> Ingest:
    return Ingest.model_validate(record.model_dump(include=set(Ingest.model_fields)))
