"""Beat grids set by hand: stretches of constant tempo.

Conventions: times in seconds; the beats of a stretch are ``start_s + k · 60 / tempo_bpm``. A grid
of one stretch is even and covers the recording, ``[0, duration)``. Numbers are rounded as the
analysis rounds them, so that grids of both read alike.
"""

from collections.abc import Iterator, Sequence
from math import ceil

from stemcrate.schemas.corrections import CorrectedGrid
from stemcrate.schemas.facts import GridSegment, TrackFacts

USUAL_BEATS_PER_BAR = 4
EDGE_S = 1e-6
"""To which times are rounded: a beat this close to an edge of the recording is on it."""


def grid_of(facts: TrackFacts) -> CorrectedGrid | None:
    """Return the grid of facts; None without beats or tempo."""
    if not facts.beat_grid or not facts.tempo_bpm:
        return None
    signature = facts.time_signature
    return CorrectedGrid(
        tempo_bpm=facts.tempo_bpm,
        beats_per_bar=int(signature.split("/")[0]) if signature else USUAL_BEATS_PER_BAR,
        segments=list(facts.beat_grid),
    )


def lay_grid(
    anchor_s: float, tempo_bpm: float, beats_per_bar: int, duration_s: float
) -> CorrectedGrid:
    """Return an even grid over a recording, with a downbeat at ``anchor_s``."""
    tempo_bpm = round(tempo_bpm, 4)
    beat_s = 60 / tempo_bpm
    first = ceil((-anchor_s - EDGE_S) / beat_s)
    start_s = max(0.0, anchor_s + first * beat_s)
    segment = GridSegment(
        start_s=round(start_s, 6),
        tempo_bpm=tempo_bpm,
        n_beats=max(1, ceil((duration_s - EDGE_S - start_s) / beat_s)),
        first_beat_in_bar=first % beats_per_bar + 1,
    )
    return CorrectedGrid(tempo_bpm=tempo_bpm, beats_per_bar=beats_per_bar, segments=[segment])


def beats_of(grid: CorrectedGrid) -> list[float]:
    """Return the times of all beats."""
    return [time_s for _, time_s in _beats(grid)]


def downbeats_of(grid: CorrectedGrid) -> list[float]:
    """Return the times of the beats that begin a bar."""
    return [time_s for place, time_s in _beats(grid) if place == 1]


def find_anchor(grid: CorrectedGrid, heard_s: float | None) -> float:
    """Return the downbeat that stays where it is: the one nearest to the first that is heard."""
    downbeats = downbeats_of(grid) or beats_of(grid)
    return downbeats[0] if heard_s is None else nearest(downbeats, heard_s)


def move(grid: CorrectedGrid, by_s: Sequence[float], duration_s: float) -> CorrectedGrid:
    """Move each stretch by seconds; an even grid still covers the recording then."""
    if len(grid.segments) == 1:
        (segment,) = grid.segments
        back = (segment.first_beat_in_bar - 1) * 60 / segment.tempo_bpm
        downbeat_s = segment.start_s - back + by_s[0]
        return lay_grid(downbeat_s, segment.tempo_bpm, grid.beats_per_bar, duration_s)
    moved = [
        segment.model_copy(update={"start_s": segment.start_s + seconds})
        for segment, seconds in zip(grid.segments, by_s, strict=True)
    ]
    return trim(grid.model_copy(update={"segments": moved}), duration_s)


def trim(grid: CorrectedGrid, duration_s: float) -> CorrectedGrid:
    """Drop the beats outside the recording, and those beyond the start of the next stretch."""
    segments = []
    ends_s = [*(segment.start_s for segment in grid.segments[1:]), duration_s]
    for segment, end_s in zip(grid.segments, ends_s, strict=True):
        beat_s = 60 / segment.tempo_bpm
        n_early = max(0, ceil((-segment.start_s - EDGE_S) / beat_s))
        start_s = max(0.0, segment.start_s + n_early * beat_s)
        n_inside = ceil((min(end_s, duration_s) - EDGE_S - start_s) / beat_s)
        n_beats = min(segment.n_beats - n_early, n_inside)
        if n_beats > 0:
            place = (segment.first_beat_in_bar - 1 + n_early) % grid.beats_per_bar
            segments.append(
                GridSegment(
                    start_s=round(start_s, 6),
                    tempo_bpm=segment.tempo_bpm,
                    n_beats=n_beats,
                    first_beat_in_bar=place + 1,
                )
            )
    return grid.model_copy(update={"segments": segments})


def rotate(grid: CorrectedGrid, beat_s: float) -> CorrectedGrid:
    """Begin a bar on a beat of the grid; all bars move by as many beats."""
    place = next(place for place, time_s in _beats(grid) if time_s == beat_s)
    segments = [
        segment.model_copy(
            update={
                "first_beat_in_bar": (segment.first_beat_in_bar - place) % grid.beats_per_bar + 1
            }
        )
        for segment in grid.segments
    ]
    return grid.model_copy(update={"segments": segments})


def places(grid: CorrectedGrid) -> list[int]:
    """Return the place of each stretch's first beat, in beats from a downbeat.

    Counted through stretches whose bars go on, and anew where they restart.
    """
    found: list[int] = []
    follows = 0
    for segment in grid.segments:
        upbeats = (1 - segment.first_beat_in_bar) % grid.beats_per_bar
        is_continued = bool(found) and (follows + upbeats) % grid.beats_per_bar == 0
        found.append(follows if is_continued else -upbeats)
        follows = found[-1] + segment.n_beats
    return found


def nearest(times_s: Sequence[float], time_s: float) -> float:
    """Return the time that is nearest to another."""
    return min(times_s, key=lambda other: abs(other - time_s))


def _beats(grid: CorrectedGrid) -> Iterator[tuple[int, float]]:
    """Yield each beat: its place in the bar, from 1, and its time."""
    for segment in grid.segments:
        beat_s = 60 / segment.tempo_bpm
        for k in range(segment.n_beats):
            place = (segment.first_beat_in_bar - 1 + k) % grid.beats_per_bar + 1
            yield place, round(segment.start_s + k * beat_s, 6)
