"""What mixing from one track into the next sounds like: a score and the reasons for it.

Conventions: scores run from 0 (do not) to 1 (as good as it gets). Harmony is read from the Camelot
wheel (`core.analysis.camelot`); tempo from the pitch fader's range of ±6 %, beyond which voices
and keys shift audibly. What is not known about a track counts as `NEUTRAL`.
"""

from dataclasses import dataclass

from core.analysis.camelot import Relation, relation

HARMONY: dict[Relation, float] = {
    "same": 1.0,
    "adjacent": 0.9,
    "relative": 0.9,
    "energy boost": 0.7,
    "diagonal": 0.6,
    "clash": 0.0,
}
PITCH_RANGE_PERCENT = 6.0
NEUTRAL = 0.5
HARMONY_WEIGHT = 0.6


@dataclass(frozen=True, slots=True)
class PlaylistTrack:
    """What a playlist knows of a track.

    Parameters
    ----------
    id : names the track in transitions.
    title, artist : as people read them.
    tempo_bpm : None, zero or less where it is unknown.
    camelot : ``1A`` … ``12B``; None where it is unknown.
    energy : 1 to 10; None where it is unknown.
    duration_s : in seconds; None where it is unknown.
    """

    id: str
    title: str
    artist: str | None = None
    tempo_bpm: float | None = None
    camelot: str | None = None
    energy: int | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """How one track mixes into the next.

    Parameters
    ----------
    from_id, to_id : the tracks.
    score : 0 to 1; ``0.6 harmony + 0.4 tempo``.
    harmony, tempo : 0 to 1.
    pitch_change_percent : what the pitch fader does to the incoming track to meet the tempo of
        the outgoing one, half and double time allowed; None where a tempo is unknown.
    reasons : sentences for people, harmony first.
    """

    from_id: str
    to_id: str
    score: float
    harmony: float
    tempo: float
    pitch_change_percent: float | None
    reasons: tuple[str, ...]


def rate_transition(outgoing: PlaylistTrack, incoming: PlaylistTrack) -> Transition:
    """Rate mixing from ``outgoing`` into ``incoming``.

    Raises ValueError when a track's ``camelot`` is no Camelot code.
    """
    harmony, harmony_reason = _rate_harmony(outgoing.camelot, incoming.camelot)
    tempo, pitch_change_percent, tempo_reason = _rate_tempo(outgoing.tempo_bpm, incoming.tempo_bpm)
    return Transition(
        from_id=outgoing.id,
        to_id=incoming.id,
        score=HARMONY_WEIGHT * harmony + (1 - HARMONY_WEIGHT) * tempo,
        harmony=harmony,
        tempo=tempo,
        pitch_change_percent=pitch_change_percent,
        reasons=(harmony_reason, tempo_reason),
    )


def _rate_harmony(outgoing: str | None, incoming: str | None) -> tuple[float, str]:
    if not outgoing or not incoming:
        return NEUTRAL, "key unknown: harmony not rated"
    name = relation(outgoing, incoming)
    words = {"same": "same key", "adjacent": "adjacent keys", "relative": "relative keys"}
    return HARMONY[name], f"{outgoing} → {incoming}: {words.get(name, name)}"


def _rate_tempo(
    outgoing_bpm: float | None, incoming_bpm: float | None
) -> tuple[float, float | None, str]:
    if not outgoing_bpm or not incoming_bpm or min(outgoing_bpm, incoming_bpm) <= 0:
        return NEUTRAL, None, "tempo unknown: pitch change not rated"
    factor = min(
        (1.0, 2.0, 0.5), key=lambda factor: abs(_percent(outgoing_bpm, incoming_bpm * factor))
    )
    percent = _percent(outgoing_bpm, incoming_bpm * factor)
    words = f"{outgoing_bpm:.1f} → {incoming_bpm:.1f} BPM: {percent:+.1f} %"
    if factor != 1.0:
        words += ", half time" if factor == 0.5 else ", double time"
    if abs(percent) > PITCH_RANGE_PERCENT:
        words += f", beyond ±{PITCH_RANGE_PERCENT:g} %"
    return max(0.0, 1 - abs(percent) / PITCH_RANGE_PERCENT), percent, words


def _percent(target_bpm: float, tempo_bpm: float) -> float:
    return (target_bpm / tempo_bpm - 1) * 100
