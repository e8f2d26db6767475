"""Webhooks: addresses that are told when jobs and batches end."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from api.bodies import JsonRoute
from api.deps import ServicesDep
from api.links import next_page
from api.problems import problem_responses
from core import errors
from core.artifacts.job_ids import is_job_id
from stemcrate.schemas.webhooks import (
    Delivery,
    DeliveryPage,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookList,
    WebhookRequest,
)

router = APIRouter(tags=["webhooks"], route_class=JsonRoute)


@router.post(
    "/webhooks",
    operation_id="create_webhook",
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(
        errors.InvalidLink,
        errors.AddressForbidden,
        errors.InvalidOption,
        errors.DatabaseUnavailable,
    ),
)
def create_webhook(wanted: WebhookRequest, services: ServicesDep, response: Response) -> NewWebhook:
    """Have an address told when jobs and batches end. The secret of its signatures is shown once.

    Calls are signed as Standard Webhooks says, and tried again for a day.
    """
    made = services.webhooks.create(wanted)
    response.headers["Location"] = f"/webhooks/{made.id}"
    response.headers["Cache-Control"] = "no-store"
    return made


@router.get(
    "/webhooks",
    operation_id="list_webhooks",
    responses=problem_responses(errors.DatabaseUnavailable),
)
def list_webhooks(services: ServicesDep) -> WebhookList:
    """List webhooks, the oldest first."""
    return WebhookList(webhooks=services.webhooks.webhooks.all())


@router.get(
    "/webhooks/{id}",
    operation_id="get_webhook",
    responses=problem_responses(errors.WebhookNotFound),
)
def get_webhook(id: str, services: ServicesDep) -> Webhook:
    """Return a webhook, without its secret."""
    return services.webhooks.webhooks.get(id)


@router.delete(
    "/webhooks/{id}",
    operation_id="delete_webhook",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.WebhookNotFound),
)
def delete_webhook(id: str, services: ServicesDep) -> None:
    """Delete a webhook with its deliveries."""
    services.webhooks.webhooks.delete(id)


@router.post(
    "/webhooks/{id}/rotate",
    operation_id="rotate_webhook",
    responses=problem_responses(errors.WebhookNotFound),
)
def rotate_webhook(id: str, services: ServicesDep, response: Response) -> NewWebhook:
    """Give a webhook a new secret, shown once; the one before signs beside it for a day."""
    response.headers["Cache-Control"] = "no-store"
    return services.webhooks.webhooks.rotate(id)


@router.get(
    "/webhooks/{id}/deliveries",
    operation_id="list_deliveries",
    responses=problem_responses(errors.WebhookNotFound, errors.InvalidOption),
)
def list_deliveries(
    id: str,
    request: Request,
    services: ServicesDep,
    response: Response,
    state: Annotated[
        DeliveryState | None, Query(description="Only deliveries in this state.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Maximum number in the page.")] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the previous page.")] = None,
) -> DeliveryPage:
    """List what a webhook was told, newest first, for 30 days."""
    if cursor is not None and not is_job_id(cursor):
        raise errors.InvalidOption(
            f"'{cursor[:64]}' is not a cursor.",
            hint="Give next_cursor of the page before, or none for the first page.",
            field="cursor",
        )
    found, next_cursor = services.webhooks.webhooks.page(id, state, cursor, limit)
    if next_cursor is not None:
        path = f"/webhooks/{id}/deliveries"
        response.headers["Link"] = next_page(path, request.query_params, next_cursor)
    return DeliveryPage(deliveries=found, next_cursor=next_cursor)


@router.post(
    "/webhooks/{id}/deliveries/{delivery}/replay",
    operation_id="replay_delivery",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(
        errors.WebhookNotFound, errors.DeliveryNotFound, errors.InvalidOption
    ),
)
def replay_delivery(id: str, delivery: str, services: ServicesDep) -> Delivery:
    """Deliver once more, whatever became of it, with as many attempts as at first."""
    return services.webhooks.webhooks.replay(id, delivery)
