"""Request for a set."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import InvalidOption
from stemcrate.schemas.curves import CurveName, Points
from stemcrate.schemas.sets import DEFAULT_MAX_PITCH_PERCENT
from stemcrate.schemas.transitions import TrackId


@dataclass(frozen=True, slots=True)
class SetRequest:
    """Wishes for a set. Without a duration or number of tracks, every track is played.

    Parameters
    ----------
    duration_s : length of the set in seconds, 1 or more.
    n_tracks : number of tracks, 1 or more; not together with ``duration_s``.
    curve : name or points of the energy curve (`core.playlist.curve`), or None.
    start, end : ids of the first and the last track.
    must_play : ids of required tracks.
    never : ids of excluded tracks.
    artist_gap : number of consecutive tracks within which no artist is repeated; 0 and 1 have no
        effect.
    max_pitch_percent : largest pitch change, more than 0 and less than 100.

    Raises
    ------
    InvalidOption : a value is out of its range, or two wishes contradict each other.
    """

    duration_s: float | None = None
    n_tracks: int | None = None
    curve: CurveName | str | Points | None = None
    start: str | None = None
    end: str | None = None
    must_play: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    artist_gap: int = 0
    max_pitch_percent: float = DEFAULT_MAX_PITCH_PERCENT

    def __post_init__(self) -> None:
        if self.duration_s is not None and self.n_tracks is not None:
            raise _contradiction("a duration and a number of tracks", "n_tracks")
        if self.duration_s is not None and not 1 <= self.duration_s < float("inf"):
            raise _out_of_range("duration_s", self.duration_s, "1 second or more")
        if self.n_tracks is not None and self.n_tracks < 1:
            raise _out_of_range("n_tracks", self.n_tracks, "1 or more")
        if self.artist_gap < 0:
            raise _out_of_range("artist_gap", self.artist_gap, "0 or more")
        if not 0 < self.max_pitch_percent < 100:
            raise _out_of_range("max_pitch_percent", self.max_pitch_percent, "between 0 and 100")
        for wanted in self.wanted:
            if wanted in self.never:
                raise _contradiction(f"to play track '{wanted}' and never to play it", "never")
        if self.start is not None and self.start == self.end and self.n_tracks != 1:
            raise _contradiction(f"track '{self.start}' first and last", "end")

    @property
    def wanted(self) -> tuple[str, ...]:
        """Ids that must be in the set, each once."""
        ends = (track_id for track_id in (self.start, self.end) if track_id is not None)
        return tuple(dict.fromkeys((*ends, *self.must_play)))

    def check_ids(self, known: Iterable[TrackId]) -> None:
        """Check that every requested track exists. Raises `InvalidOption`."""
        if missing := set(self.wanted) - set(known):
            raise InvalidOption(
                f"There is no track '{min(missing)}' to choose from.",
                hint="Request tracks that are among those to choose from.",
                field="must_play",
            )


def _out_of_range(field: str, value: float, allowed: str) -> InvalidOption:
    return InvalidOption(f"{field} is {value:g}.", hint=f"Give {allowed}.", field=field)


def _contradiction(wishes: str, field: str) -> InvalidOption:
    return InvalidOption(f"A set cannot have {wishes}.", hint="Drop one of them.", field=field)
