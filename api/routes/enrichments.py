"""Runs of the enrichers over tracks of the library."""

from fastapi import APIRouter, Response, status

from api.bodies import JsonRoute
from api.deps import ServicesDep
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from core import errors
from stemcrate.schemas.enrichment import (
    EnrichmentRequest,
    EnrichmentRun,
    EnrichmentRunRecord,
    EnrichmentRuns,
)

router = APIRouter(tags=["library"], route_class=JsonRoute)


@router.post(
    "/library/enrichments",
    operation_id="create_enrichment",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(
        errors.InvalidOption, errors.TrackNotFound, errors.StorageFull, errors.DatabaseUnavailable
    ),
)
def create_enrichment(
    request: EnrichmentRequest, services: ServicesDep, response: Response
) -> EnrichmentRun:
    """Let the enrichers look at tracks, or at all that lack a result; a worker does so.

    What they find is in the track. A track for which an enricher fails is ready all the same.
    """
    record = services.enrichments.request(request.track_ids)
    response.headers["Location"] = f"/library/enrichments/{record.id}"
    response.headers["Retry-After"] = RETRY_AFTER_S
    return _view(record)


@router.get("/library/enrichments", operation_id="list_enrichments", responses=problem_responses())
def list_enrichments(services: ServicesDep) -> EnrichmentRuns:
    """List the last runs of the enrichers, newest first."""
    return EnrichmentRuns(runs=[_view(record) for record in services.enrichments.runs.all()])


@router.get(
    "/library/enrichments/{id}",
    operation_id="get_enrichment",
    responses=problem_responses(errors.EnrichmentNotFound),
)
def get_enrichment(id: str, services: ServicesDep, response: Response) -> EnrichmentRun:
    """Return state and progress of a run of the enrichers."""
    record = services.enrichments.runs.load(id)
    if not record.state.is_final:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return _view(record)


@router.post(
    "/library/enrichments/{id}/cancel",
    operation_id="cancel_enrichment",
    responses=problem_responses(errors.EnrichmentNotFound, errors.StorageFull),
)
def cancel_enrichment(id: str, services: ServicesDep) -> EnrichmentRun:
    """Cancel a run; what was found stays. One that has ended is unchanged."""
    return _view(services.enrichments.runs.cancel(id))


def _view(record: EnrichmentRunRecord) -> EnrichmentRun:
    return EnrichmentRun.model_validate(record.model_dump(include=set(EnrichmentRun.model_fields)))
