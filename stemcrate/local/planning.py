"""A set planned from the facts of tracks."""

from collections.abc import Sequence
from pathlib import Path

from stemcrate.local.recording import FilePath, Tracks
from stemcrate.schemas.sets import SetDescription


def plan_set(
    tracks: Tracks,
    *,
    curve: str | Sequence[tuple[float, float]] | None = None,
    duration_s: float | None = None,
    n_tracks: int | None = None,
    start: FilePath | None = None,
    end: FilePath | None = None,
    must_play: Sequence[FilePath] = (),
    never: Sequence[FilePath] = (),
    artist_gap: int = 0,
) -> SetDescription:
    """Choose and order tracks so that they mix: by key, tempo, energy and where the vocals are.

    Parameters
    ----------
    tracks : facts by path; with neither length given, all of them are played.
    curve : energy over the set: ``warm-up``, ``peak``, ``cool-down``, ``wave``, ``flat``, or points
        (progress 0 to 1, energy 1 to 10).
    duration_s : how long the set should last, in seconds; not together with ``n_tracks``.
    n_tracks : how many tracks it should have.
    start, end : the first and the last track.
    must_play, never : tracks that must, or must not, be in it.
    artist_gap : no artist twice within so many tracks.

    Returns
    -------
    The set: each track with its place among ``tracks`` as ``index``, transitions between paths as
    they were given. The same tracks and wishes give the same set. Wishes that cannot be met are
    listed in ``relaxed``.

    Raises
    ------
    InvalidOption : a wish is out of its range, contradicts another, or names an unknown track.
    """
    from core.playlist.facts import facts_to_track
    from core.playlist.plan import describe_track
    from core.playlist.plan import plan_set as plan
    from core.playlist.request import SetRequest
    from core.playlist.table import TrackTable

    known = [
        facts_to_track(str(path), facts, title=Path(path).stem) for path, facts in tracks.items()
    ]
    request = SetRequest(
        duration_s=duration_s,
        n_tracks=n_tracks,
        curve=curve if curve is None or isinstance(curve, str) else tuple(curve),
        start=None if start is None else str(start),
        end=None if end is None else str(end),
        must_play=tuple(map(str, must_play)),
        never=tuple(map(str, never)),
        artist_gap=artist_gap,
    )
    planned = plan(TrackTable.from_tracks(known), request)
    places = {track.id: place for place, track in enumerate(known)}
    described = planned.describe()
    described.tracks = [
        describe_track(known[places[path]], index=places[path], starts_s=starts_s)
        for path, starts_s in zip(planned.ids, planned.starts_s, strict=True)
    ]
    return described
