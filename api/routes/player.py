"""Players: what a track sounds and looks like, lane by lane and piece by piece."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.deps import ServicesDep
from api.lane_requests import (
    LaneDep,
    LaneRequest,
    RecordingDep,
    TrackIndex,
    in_thread,
    piece_of_lane,
)
from api.player_views import player_view, recording_view
from api.problems import problem_responses
from core.errors import (
    ArtefactNotFound,
    JobNotFinished,
    JobNotFound,
    StageFailed,
    TrackNotFound,
)
from core.library.corrections.jobs import correct_manifest
from stemcrate.schemas.player import PlayerTrack, WaveformKind

LANE = "/job/{id}/tracks/{index}/lanes/{label}"
RECORDING = "/library/tracks/{id}/original"
OF_JOB = (JobNotFound, JobNotFinished, ArtefactNotFound, StageFailed)
OF_LIBRARY = (TrackNotFound, ArtefactNotFound, StageFailed)

router = APIRouter(tags=["player"])


Segment = Annotated[int, Path(ge=0, description="Number of the segment, from 0.")]


@router.get(
    "/job/{id}/tracks/{index}/player",
    operation_id="get_player",
    responses=problem_responses(JobNotFound, JobNotFinished, ArtefactNotFound),
)
async def get_player(id: str, index: TrackIndex, services: ServicesDep) -> PlayerTrack:
    """Return what a player needs to play, draw and mix a track that has ended.

    Its grid, cues and other facts have the corrections by hand.
    """
    services.listener.warm_up()

    def view() -> PlayerTrack:
        manifest, lanes = services.listener.track(id, index)
        return player_view(correct_manifest(manifest, services.library.corrections), lanes)

    return await in_thread(services, view)


@router.get(
    LANE + "/segments/{segment}",
    operation_id="get_segment",
    **piece_of_lane("The segment.", OF_JOB, "audio/flac"),
)
async def get_segment(wanted: LaneDep, segment: Segment) -> Response:
    """Return a segment of a lane as a FLAC file."""
    return await _answer_segment(wanted, segment)


@router.get(
    LANE + "/waveform.{kind}",
    operation_id="get_waveform",
    **piece_of_lane("The waveform.", OF_JOB, "application/octet-stream"),
)
async def get_waveform(wanted: LaneDep, kind: WaveformKind) -> Response:
    """Return a lane's waveform where the job made none: `dat` or `bands`."""
    return await _answer_waveform(wanted, kind)


@router.get(
    LANE + "/spectrogram",
    operation_id="get_spectrogram",
    **piece_of_lane("The picture.", OF_JOB, "image/webp"),
)
async def get_spectrogram(wanted: LaneDep) -> Response:
    """Return a lane's mel spectrum over time as a grey picture."""
    return await _answer_spectrogram(wanted)


@router.get(
    "/library/tracks/{id}/player",
    operation_id="get_track_player",
    responses=problem_responses(*OF_LIBRARY),
)
async def get_track_player(id: str, services: ServicesDep) -> PlayerTrack:
    """Return what a player needs to play and draw a track of the library.

    Its one lane is the recording: the file that the library has on record, while it is unchanged.
    """
    services.listener.warm_up()

    def view() -> PlayerTrack:
        lanes = services.listener.recording(services.library.record(id))
        record = services.library.find_corrected(id)
        if record is None:
            raise TrackNotFound(f"There is no track '{id}'.")
        return recording_view(record, lanes)

    return await in_thread(services, view)


@router.get(
    RECORDING + "/segments/{segment}",
    operation_id="get_track_segment",
    **piece_of_lane("The segment.", OF_LIBRARY, "audio/flac"),
)
async def get_track_segment(wanted: RecordingDep, segment: Segment) -> Response:
    """Return a segment of the recording as a FLAC file."""
    return await _answer_segment(wanted, segment)


@router.get(
    RECORDING + "/waveform.{kind}",
    operation_id="get_track_waveform",
    **piece_of_lane("The waveform.", OF_LIBRARY, "application/octet-stream"),
)
async def get_track_waveform(wanted: RecordingDep, kind: WaveformKind) -> Response:
    """Return the recording's waveform: `dat` or `bands`."""
    return await _answer_waveform(wanted, kind)


@router.get(
    RECORDING + "/spectrogram",
    operation_id="get_track_spectrogram",
    **piece_of_lane("The picture.", OF_LIBRARY, "image/webp"),
)
async def get_track_spectrogram(wanted: RecordingDep) -> Response:
    """Return the recording's mel spectrum over time as a grey picture."""
    return await _answer_spectrogram(wanted)


async def _answer_segment(wanted: LaneRequest, number: int) -> Response:
    return await wanted.answer(
        f"segment-{number}",
        "audio/flac",
        lambda listener, track, lane: listener.segment(track, lane, number),
    )


async def _answer_waveform(wanted: LaneRequest, kind: WaveformKind) -> Response:
    return await wanted.answer(
        f"waveform-{kind}",
        "application/octet-stream",
        lambda listener, track, lane: listener.waveform(track, lane, kind),
    )


async def _answer_spectrogram(wanted: LaneRequest) -> Response:
    return await wanted.answer(
        "spectrogram",
        "image/webp",
        lambda listener, track, lane: listener.spectrogram(track, lane),
    )
