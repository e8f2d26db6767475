"""Weights of models: fetched by the workers, on request."""

from fastapi import APIRouter, Response, status

from api.deps import ServicesDep
from api.links import weights_path
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from api.views import fetch_view
from core import errors
from core.jobs.fetches import request_fetch
from core.system.disk import require_free
from stemcrate.schemas.weights import WeightsFetch

router = APIRouter(prefix="/models", tags=["models"])


@router.post(
    "/{name}/weights",
    operation_id="fetch_weights",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        200: {"model": WeightsFetch, "description": "The weights are there already."},
        **problem_responses(
            errors.UnknownModel, errors.ModelUnavailable, errors.UnsafeWeights, errors.StorageFull
        ),
    },
)
def fetch_weights(name: str, services: ServicesDep, response: Response) -> WeightsFetch:
    """Fetch the weights of a model that `GET /config` lists with `can_fetch`.

    A worker downloads them from their publisher, and verifies them. Requests for the same model
    are one download. One that was cut short, or failed, goes on where it stopped.
    """
    require_free(services.store.data_dir, services.settings.min_free_bytes)
    record = request_fetch(services.fetches, services.inventory(), name)
    response.headers["Location"] = weights_path(name)
    if record.state.is_final:
        response.status_code = status.HTTP_200_OK
    else:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return fetch_view(record)


@router.get(
    "/{name}/weights",
    operation_id="get_weights_fetch",
    responses=problem_responses(errors.FetchNotFound),
)
def get_weights_fetch(name: str, services: ServicesDep, response: Response) -> WeightsFetch:
    """Return the state and progress of a download of weights.

    Once it is `completed`, jobs can use the model.
    """
    record = services.fetches.load(name)
    if not record.state.is_final:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return fetch_view(record)


@router.delete(
    "/{name}/weights",
    operation_id="cancel_weights_fetch",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.FetchNotFound),
)
def cancel_weights_fetch(name: str, services: ServicesDep) -> None:
    """Stop a download of weights, and forget it.

    Weights that are there stay; a part of a file stays too, and a later download goes on with it.
    """
    services.fetches.delete(name)
