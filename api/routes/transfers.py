"""Transfers: files of jobs put into folders, object stores and WebDAV of the operator."""

from fastapi import APIRouter, Response, status

from api.bodies import JsonRoute
from api.deps import ServicesDep
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from core import errors
from stemcrate.schemas.transfers import Transfer, TransferRecord, TransferRequest, Transfers

router = APIRouter(tags=["jobs"], route_class=JsonRoute)


@router.post(
    "/job/{id}/transfers",
    operation_id="create_transfer",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(
        errors.JobNotFound,
        errors.JobNotFinished,
        errors.InvalidOption,
        errors.StorageFull,
        errors.DatabaseUnavailable,
    ),
)
def create_transfer(
    id: str, request: TransferRequest, services: ServicesDep, response: Response
) -> Transfer:
    """Put all files of a job that has ended to a target, with an index of them beside.

    A worker does it. Each file is read back and compared with its SHA-256; what is there already
    is not sent again, so a transfer that failed or was cancelled goes on where it was.
    """
    record = services.transfers.request(id, request)
    response.headers["Location"] = f"/transfers/{record.id}"
    response.headers["Retry-After"] = RETRY_AFTER_S
    return _view(record)


@router.get("/transfers", operation_id="list_transfers", responses=problem_responses())
def list_transfers(services: ServicesDep) -> Transfers:
    """List the targets that may be named, and the last transfers, newest first."""
    service = services.transfers
    found = [_view(record) for record in service.transfers.all()]
    return Transfers(targets=service.targets, transfers=found)


@router.get(
    "/transfers/{id}",
    operation_id="get_transfer",
    responses=problem_responses(errors.TransferNotFound),
)
def get_transfer(id: str, services: ServicesDep, response: Response) -> Transfer:
    """Return state and progress of a transfer."""
    record = services.transfers.transfers.load(id)
    if not record.state.is_final:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return _view(record)


@router.post(
    "/transfers/{id}/cancel",
    operation_id="cancel_transfer",
    responses=problem_responses(errors.TransferNotFound, errors.StorageFull),
)
def cancel_transfer(id: str, services: ServicesDep) -> Transfer:
    """Cancel a transfer; files that are there stay. One that has ended is unchanged."""
    return _view(services.transfers.transfers.cancel(id))


def _view(record: TransferRecord) -> Transfer:
    return Transfer.model_validate(record.model_dump(include=set(Transfer.model_fields)))
