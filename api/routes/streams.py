"""Streams: tracks and lanes as HLS, at bit rates for slow links and other programs."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.lane_requests import LaneDep, LaneRequest, RecordingDep, piece_of_lane
from api.routes.player import OF_JOB, OF_LIBRARY
from core.errors import ArtefactNotFound
from core.listening.streams import MASTER, master_playlist

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
SEGMENTS_TYPE = "audio/mp4"

router = APIRouter(tags=["player"])

Name = Annotated[
    str,
    Path(
        pattern=r"^(master\.m3u8|[0-9]{1,4}\.(m3u8|mp4))$",
        description="`master.m3u8`, which players are given; the playlist `RATE.m3u8` and the "
        "segments `RATE.mp4` of a bit rate in kbit/s, to which it leads them.",
    ),
]


@router.get(
    "/stream/{id}/{name}",
    operation_id="get_stream",
    **piece_of_lane("The file.", OF_LIBRARY, PLAYLIST_TYPE, SEGMENTS_TYPE),
)
async def get_stream(wanted: RecordingDep, name: Name) -> Response:
    """Return a file of the stream of a track of the library."""
    return await _answer(wanted, name)


@router.get(
    "/stream/{id}/{index}/{label}/{name}",
    operation_id="get_lane_stream",
    **piece_of_lane("The file.", OF_JOB, PLAYLIST_TYPE, SEGMENTS_TYPE),
)
async def get_lane_stream(wanted: LaneDep, name: Name) -> Response:
    """Return a file of the stream of a lane of a job: a stem, a composite, the original."""
    return await _answer(wanted, name)


async def _answer(wanted: LaneRequest, name: str) -> Response:
    bit_rates = wanted.services.settings.stream_bit_rates
    if name == MASTER:
        playlist = master_playlist(bit_rates)
        headers = {"Cache-Control": "private, no-cache"}
        return Response(playlist, media_type=PLAYLIST_TYPE, headers=headers)
    rate, _, suffix = name.partition(".")
    if int(rate) not in bit_rates:
        raise ArtefactNotFound(
            f"There is no stream of {rate} kbit/s.",
            hint=f"'{MASTER}' lists those that there are; STREAM_BIT_RATES sets them.",
        )
    return await wanted.answer(
        f"stream-{name}",
        PLAYLIST_TYPE if suffix == "m3u8" else SEGMENTS_TYPE,
        lambda listener, track, lane: listener.stream(track, lane, f"{int(rate)}.{suffix}"),
    )
