"""Track of a playlist: the facts of its analysis; all but the id are optional."""

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
    id : identifies the track in plans and transitions.
    title, artist : for display; artists are compared case-insensitively.
    tempo_bpm : None, 0 or less if unknown.
    camelot : ``1A`` … ``12B``; None if the key is unknown.
    tempo_confidence, key_confidence : 0 to 1, for display; None if unknown.
    energy : 1 to 10; None if unknown.
    integrated_loudness_lufs : None if unknown.
    is_delivered : whether the loudness is that of a delivered file, and not the recording's.
    duration_s : None, 0 or less if unknown.
    timbre : shape (n_features,), a descriptor vector compared by its cosine; None if unknown. All
        tracks of one plan have vectors of one length.
    vocals_s : (start, end) of each vocal passage, in seconds; () if instrumental, None if unknown.
    mix_in_s, mix_out_s : (start, end) of the mix windows, in seconds; None if unknown:
        `core.playlist.windows` then takes the first and last bars.
    downbeats_s : downbeats, ascending; () if unknown.
    first_downbeat_s : start of bar one, used if ``downbeats_s`` is unknown.
    stems : names of the available stems, such as ``vocals``.
    """

    id: TrackId
    title: str = ""
    artist: str | None = None
    camelot: str | None = None
    tempo_confidence: float | None = None
    key_confidence: float | None = None
    timbre: NDArray[np.float32] | None = field(default=None, compare=False)
    vocals_s: tuple[Window, ...] | None = None
    mix_in_s: Window | None = None
    mix_out_s: Window | None = None
    downbeats_s: tuple[float, ...] = ()
    stems: tuple[str, ...] = ()
    is_delivered: bool = False
