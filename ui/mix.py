"""The mix of the stem player, and the render that makes a file of it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from stemcrate.schemas.options import DeliveryFormat
from stemcrate.schemas.player import ORIGINAL
from stemcrate.schemas.renders import Lane, MixRequest
from ui.language import t
from ui.text import UNKNOWN, length, number, title_of

Stretch = Literal["whole", "loop"]
"""What of the track is exported."""


class _Reported(BaseModel):
    model_config = ConfigDict(frozen=True)


class PlayedLane(_Reported):
    """A lane of the mixer; a gain of None is −∞."""

    gain_db: float | None = 0.0
    pan: float = 0.0
    mute: bool = False
    solo: bool = False


class PlayedLoop(_Reported):
    """The loop, in seconds of the track."""

    start_s: float
    end_s: float
    is_on: bool


class PlayedMix(_Reported):
    """A mix as the player reports it (`ui/components/player/model/mix.js`)."""

    lanes: dict[str, PlayedLane]
    loop: PlayedLoop | None = None
    tempo: float = 1.0
    pitch_semitones: float = 0.0

    @classmethod
    def of_stems(cls, labels: list[str]) -> "PlayedMix":
        """Return the mix of an untouched player: the stems as they are."""
        return cls(lanes={label: PlayedLane() for label in labels})

    def heard(self) -> dict[str, PlayedLane]:
        """Return the lanes that sound."""
        has_solo = any(lane.solo for lane in self.lanes.values())
        return {
            label: lane
            for label, lane in self.lanes.items()
            if not lane.mute and lane.gain_db is not None and (lane.solo or not has_solo)
        }


def why_not(mix: PlayedMix) -> str:
    """Return why no file can be made of a mix; empty if one can."""
    heard = mix.heard()
    if not heard:
        return t("No lane sounds: unmute one in the player.")
    if ORIGINAL in heard:
        return t("The original is for comparing and is not exported: mute it in the player.")
    return ""


def request_of(
    mix: PlayedMix, *, job_id: str, index: int, stretch: Stretch, file_format: DeliveryFormat
) -> MixRequest:
    """Return the render of what is heard; the master volume is for listening only.

    ``stretch`` is ``loop`` only where the mix has one.
    """
    lanes = {
        label: Lane(gain_db=lane.gain_db or 0.0, pan=lane.pan)
        for label, lane in mix.heard().items()
    }
    loop = mix.loop if stretch == "loop" else None
    place = {} if loop is None else {"start_s": loop.start_s, "end_s": loop.end_s}
    return MixRequest(
        job_id=job_id,
        track_index=index,
        lanes=lanes,
        tempo_ratio=mix.tempo,
        pitch_semitones=mix.pitch_semitones,
        format=file_format,
        **place,
    )


def describe(request: MixRequest) -> str:
    """Describe a render in one line, such as ``Vocals −6.0 dB · Drums · tempo 104.0 %``."""
    parts = [_describe_lane(label, lane) for label, lane in request.lanes.items()]
    if request.tempo_ratio != 1:
        parts.append(t("tempo {percent} %", percent=number(100 * request.tempo_ratio)))
    if request.pitch_semitones:
        parts.append(t("pitch {n} semitones", n=_signed(request.pitch_semitones, 0)))
    if request.end_s is not None:
        parts.append(f"{length(request.start_s)} – {length(request.end_s)}")
    return " · ".join(parts) or UNKNOWN


def _describe_lane(label: str, lane: Lane) -> str:
    words = [title_of(label)]
    if lane.gain_db:
        words.append(f"{_signed(lane.gain_db, 1)} dB")
    if lane.pan:
        side = t("left") if lane.pan < 0 else t("right")
        words.append(f"{100 * abs(lane.pan):.0f} % {side}")
    return " ".join(words)


def _signed(value: float, decimals: int) -> str:
    return ("+" if value > 0 else "") + number(value, decimals)
