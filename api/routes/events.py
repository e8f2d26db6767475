"""Progress of a job as Server-Sent Events."""

from typing import Annotated

from fastapi import APIRouter, Header, Response, status
from fastapi.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from api.deps import ServicesDep
from api.events import event_number, read_news, stream_events
from api.openapi import JOB_EVENTS, event_stream
from api.problems import problem_responses
from core.errors import JobNotFound, ServerBusy

router = APIRouter(tags=["jobs"])


@router.get(
    "/job/{id}/events",
    operation_id="stream_job_events",
    response_class=Response,
    responses={
        200: {"content": event_stream(*JOB_EVENTS), "description": "Events until the job ends."},
        204: {"description": "The job has ended and nothing is left to tell: do not reconnect."},
        **problem_responses(JobNotFound, ServerBusy),
    },
)
async def stream_job_events(
    id: str,
    services: ServicesDep,
    last_event_id: Annotated[
        str | None,
        Header(description="Number of the last event received; the stream resumes after it."),
    ] = None,
) -> Response:
    """Stream `state`, `stage` and `progress` events; the last one is a final `state`."""
    services.streaming.require_place()
    seen = event_number(last_event_id)
    news = await run_in_threadpool(read_news, services, id, seen or 0)
    if seen is not None and news.state.is_final and not news.events:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    return EventSourceResponse(
        stream_events(services, id, seen or 0),
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
