"""Requests for pieces of a lane: found, compared with what the client has, and cut to a range."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import anyio
from fastapi import Depends, Header, Path, Query, Response, status

from api.deps import Services, ServicesDep
from api.links import etag_matches, strong_etag
from api.problems import problem_responses
from api.ranges import requested_range
from core.errors import StemcrateError
from core.listening.lanes import Lane, TrackLanes
from core.listening.listener import Listener
from stemcrate.schemas.problem import MEDIA_TYPE

TrackIndex = Annotated[int, Path(ge=0, description="Number of the track in its job, from 0.")]
R = TypeVar("R")
_IMMUTABLE = "private, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a client has of a piece, and which part of it it wants."""

    version: str | None
    if_none_match: str | None
    byte_range: str | None
    if_range: str | None


async def read_conditions(
    v: Annotated[
        str | None, Query(description="As in the player's URLs: the answer may then be kept.")
    ] = None,
    if_none_match: Annotated[str | None, Header()] = None,
    byte_range: Annotated[str | None, Header(alias="range")] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Conditions:
    """Return the conditions of a request."""
    return Conditions(v, if_none_match, byte_range, if_range)


ConditionsDep = Annotated[Conditions, Depends(read_conditions)]


@dataclass(frozen=True, slots=True)
class LaneRequest:
    """A request for a piece of a lane that exists."""

    services: Services
    track: TrackLanes
    lane: Lane
    conditions: Conditions

    async def answer(
        self,
        part: str,
        media_type: str,
        make: Callable[[Listener, TrackLanes, Lane], bytes],
    ) -> Response:
        """Answer with a piece, or a range of it; it is made only if the client lacks it."""
        etag = strong_etag(f"{self.lane.key}-{part}")
        conditions = self.conditions
        is_current = conditions.version == self.lane.key
        headers = {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Cache-Control": _IMMUTABLE if is_current else "private, no-cache",
        }
        if etag_matches(conditions.if_none_match, etag):
            return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
        listener = self.services.listener
        data = await in_thread(self.services, lambda: make(listener, self.track, self.lane))
        wanted = requested_range(
            conditions.byte_range, conditions.if_range, etag=etag, n_bytes=len(data)
        )
        if wanted is None:
            return Response(data, media_type=media_type, headers=headers)
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{len(data)}"
        return Response(
            data[wanted.start : wanted.stop],
            status_code=status.HTTP_206_PARTIAL_CONTENT,
            media_type=media_type,
            headers=headers,
        )


def piece_of_lane(
    description: str, problems: tuple[type[StemcrateError], ...], *media_types: str
) -> dict[str, Any]:
    """Describe a route that returns a piece of a lane, of one of these types."""
    content: dict[str, Any] = {media_type: {} for media_type in media_types}
    return {
        "response_class": Response,
        "responses": {
            200: {"content": content, "description": description},
            206: {"description": "The range asked for."},
            304: {"description": "Unchanged."},
            416: {"content": {MEDIA_TYPE: {}}, "description": "`range_not_satisfiable`"},
            **problem_responses(*problems),
        },
    }


async def find_lane(
    id: str,
    index: TrackIndex,
    label: Annotated[str, Path(description="Label of the lane: `original`, `vocals`, …")],
    services: ServicesDep,
    conditions: ConditionsDep,
) -> LaneRequest:
    """Return the request with its lane. Raises what `Listener.track` raises."""
    track, lane = await in_thread(services, lambda: services.listener.lane(id, index, label))
    return LaneRequest(services, track, lane, conditions)


async def find_recording(id: str, services: ServicesDep, conditions: ConditionsDep) -> LaneRequest:
    """Return the request with the one lane of a track of the library.

    Raises `TrackNotFound`, and what `Listener.recording` raises.
    """
    track = await in_thread(
        services, lambda: services.listener.recording(services.library.record(id))
    )
    (lane,) = track.lanes
    return LaneRequest(services, track, lane, conditions)


LaneDep = Annotated[LaneRequest, Depends(find_lane)]
RecordingDep = Annotated[LaneRequest, Depends(find_recording)]


async def in_thread(services: Services, work: Callable[[], R]) -> R:
    """Run what may wait for a process of the listener, and hold no thread that others need."""
    return await anyio.to_thread.run_sync(work, limiter=services.listening)
