"""Conversion of the facts of manifest and library to a track for planning."""

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.playlist.track import PlaylistTrack
from stemcrate.schemas.facts import MIXTURE, Descriptors, TrackFacts
from stemcrate.schemas.search import PLANNED
from stemcrate.schemas.transitions import TrackId


def facts_to_track(
    track_id: TrackId, facts: TrackFacts, *, title: str = "", stems: Sequence[str] = ()
) -> PlaylistTrack:
    """Make a track from its facts; a fact that is missing or None is unknown.

    Parameters
    ----------
    facts : from the manifest or the library.
    title : used if the facts have none.
    stems : names of the available stems.
    """
    sung = facts.vocals_s
    return PlaylistTrack(
        id=track_id,
        title=facts.title or title,
        artist=facts.artist,
        **{name: getattr(facts, name) for name in PLANNED},
        camelot=facts.camelot,
        tempo_confidence=facts.tempo_confidence,
        key_confidence=facts.key_confidence,
        timbre=_decode_mixture(facts.descriptors),
        vocals_s=None if sung is None else tuple(sung),
        mix_in_s=facts.mix_in_s,
        mix_out_s=facts.mix_out_s,
        downbeats_s=tuple(facts.downbeats_s),
        stems=tuple(stems),
    )


def _decode_mixture(descriptors: Descriptors | None) -> NDArray[np.float32] | None:
    encoded = descriptors.vectors.get(MIXTURE) if descriptors else None
    if encoded is None:
        return None
    return np.frombuffer(base64.b64decode(encoded), dtype="<f4").astype(np.float32)
