"""From the facts of an analysis, as the manifest and the library hold them, to a track to plan."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.facts import MIXTURE
from core.playlist.track import PlaylistTrack, Window


def facts_to_track(
    track_id: str, facts: Mapping[str, Any], *, title: str = "", stems: Sequence[str] = ()
) -> PlaylistTrack:
    """Make a track of its facts; a fact that is missing or None is unknown.

    Parameters
    ----------
    facts : as `core.analysis.facts` names them in the manifest's ``analysis``.
    title : taken where the facts hold none.
    stems : names of the stems at hand.
    """
    sung = facts.get("vocals_s")
    mix_in, mix_out = facts.get("mix_in_s"), facts.get("mix_out_s")
    return PlaylistTrack(
        id=track_id,
        title=facts.get("title") or title,
        artist=facts.get("artist"),
        tempo_bpm=facts.get("tempo_bpm"),
        camelot=facts.get("camelot"),
        energy=facts.get("energy"),
        duration_s=facts.get("duration_s"),
        integrated_loudness_lufs=facts.get("integrated_loudness_lufs"),
        timbre=_decode_mixture(facts.get("descriptors")),
        vocals_s=None if sung is None else tuple(_window(part) for part in sung),
        mix_in_s=_window(mix_in) if mix_in else None,
        mix_out_s=_window(mix_out) if mix_out else None,
        downbeats_s=tuple(facts.get("downbeats_s") or ()),
        first_downbeat_s=facts.get("first_downbeat_s"),
        stems=tuple(stems),
    )


def _decode_mixture(descriptors: Mapping[str, Any] | None) -> NDArray[np.float32] | None:
    encoded = descriptors["vectors"].get(MIXTURE) if descriptors else None
    if encoded is None:
        return None
    return np.frombuffer(base64.b64decode(encoded), dtype="<f4").astype(np.float32)


def _window(pair: Sequence[float]) -> Window:
    start_s, end_s = pair
    return start_s, end_s
