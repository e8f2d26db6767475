"""What a playlist knows of a track: the facts that the analysis found, all but the id optional."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stemcrate.schemas.search import PlannedFacts
from stemcrate.schemas.transitions import TrackId

Window = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlaylistTrack(PlannedFacts):
    """One track, as a set is planned with it; its numbers are those of `PlannedFacts`.

    Parameters
    ----------
    id : names the track in plans and transitions.
    title, artist : as people read them; an artist counts as the same whatever its capitals.
    tempo_bpm : None, zero or less where it is unknown.
    camelot : ``1A`` … ``12B``; None where the key is unknown.
    energy : 1 to 10; None where it is unknown.
    integrated_loudness_lufs : None where it is unknown.
    duration_s : None, zero or less where it is unknown.
    timbre : shape (n_features,), a descriptor vector whose cosine tells how alike two tracks sound;
        None where there is none. All tracks of one plan have vectors of one length.
    vocals_s : (start, end) of each sung passage, in seconds; () where nobody sings, None where
        that is unknown.
    mix_in_s, mix_out_s : (start, end) of where the track can be mixed in and out; None where it is
        unknown: `core.playlist.windows` then takes its first and last bars.
    downbeats_s : the first beat of every bar, rising; () where unknown.
    first_downbeat_s : where bar one starts, used where ``downbeats_s`` is not known.
    stems : names of the stems that lie at hand, such as ``vocals``.
    """

    id: TrackId
    title: str = ""
    artist: str | None = None
    camelot: str | None = None
    timbre: NDArray[np.float32] | None = field(default=None, compare=False)
    vocals_s: tuple[Window, ...] | None = None
    mix_in_s: Window | None = None
    mix_out_s: Window | None = None
    downbeats_s: tuple[float, ...] = ()
    stems: tuple[str, ...] = ()
