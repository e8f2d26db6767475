"""What the decks of players on the network play."""

import time
from collections.abc import AsyncIterator

import anyio
from fastapi import APIRouter, Response, status
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.concurrency import run_in_threadpool

from api.deps import Services, ServicesDep
from api.events import KEEPALIVE_S, RETRY_MS
from api.openapi import event_stream
from api.problems import problem_responses
from core.errors import ServerBusy
from stemcrate.schemas.decks import DecksReport

EVENT = "decks"
EVERY_S = 0.25
"""Shortest time between two events."""

router = APIRouter(tags=["decks"])


@router.get("/decks", operation_id="get_decks", responses=problem_responses())
def get_decks(services: ServicesDep) -> DecksReport:
    """Return all players that are heard on the network, what they play, and what was played."""
    return services.decks.report(services.library)


@router.get(
    "/decks/events",
    operation_id="stream_decks",
    response_class=Response,
    responses={
        200: {"content": event_stream(DecksReport), "description": "What changes, as it does."},
        204: {"description": "Players are not listened for: do not reconnect."},
        **problem_responses(ServerBusy),
    },
)
async def stream_decks(services: ServicesDep) -> Response:
    """Stream `decks` events: at first, and whenever something has changed, all players.

    At most four a second.
    """
    if not services.decks.is_on:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    services.streaming.require_place()
    return EventSourceResponse(
        _events(services), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _events(services: Services) -> AsyncIterator[bytes]:
    with services.streaming.counted():
        yield format_sse_event(retry=RETRY_MS)
        last: DecksReport | None = None
        said_at = time.monotonic()
        while not services.stopping.is_set():
            report = await run_in_threadpool(services.decks.report, services.library)
            if report != last:
                last = report
                yield format_sse_event(event=EVENT, data_str=report.model_dump_json())
                said_at = time.monotonic()
            elif time.monotonic() - said_at >= KEEPALIVE_S:
                yield KEEPALIVE_COMMENT
                said_at = time.monotonic()
            await anyio.sleep(EVERY_S)
