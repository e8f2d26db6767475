"""What a person does to a beat grid: one function per operation of the schema."""

from fractions import Fraction
from math import ceil

from core.errors import GridLocked, InvalidOption
from core.library.corrections.grid import (
    USUAL_BEATS_PER_BAR,
    beats_of,
    downbeats_of,
    find_anchor,
    lay_grid,
    move,
    nearest,
    places,
    rotate,
    trim,
)
from stemcrate.schemas.corrections import (
    LEAST_TEMPO_BPM,
    MOST_TEMPO_BPM,
    AnchorGrid,
    CorrectedGrid,
    GridOperation,
    LayGrid,
    LockGrid,
    NudgeGrid,
    ScaleGrid,
    SetDownbeat,
    SetMetre,
    ShiftGrid,
    StretchGrid,
    UnlockGrid,
)
from stemcrate.schemas.facts import GridSegment, TrackFacts


def operate(
    operation: GridOperation, grid: CorrectedGrid | None, facts: TrackFacts
) -> CorrectedGrid:
    """Carry out an operation on a grid.

    Parameters
    ----------
    grid : the present grid; None without beats.
    facts : with the present corrections: duration, tempo, and the first downbeat that is heard.

    Raises
    ------
    GridLocked : the grid is locked.
    InvalidOption : there is no grid, or the result would be none.
    """
    if not isinstance(operation, LockGrid | UnlockGrid):
        require_unlocked(grid)
    if isinstance(operation, LayGrid):
        return _lay(operation, grid, facts)
    if grid is None:
        raise _refused(
            "The track has no beat grid.", "Lay one first: {'op': 'lay', 'anchor_s', 'tempo_bpm'}."
        )
    changed = _change(operation, grid, facts)
    if not changed.segments:
        raise _refused("No beat would be left inside the recording.", "Move the grid less.")
    return changed


def set_tempo(grid: CorrectedGrid, tempo_bpm: float, facts: TrackFacts) -> CorrectedGrid:
    """Return an even grid of another tempo through the first downbeat that is heard."""
    anchor_s = find_anchor(grid, facts.first_downbeat_s)
    return lay_grid(anchor_s, tempo_bpm, grid.beats_per_bar, _duration(facts))


def require_unlocked(grid: CorrectedGrid | None) -> None:
    """Raise `GridLocked` if a grid is locked."""
    if grid is not None and grid.is_locked:
        raise GridLocked(
            "The beat grid of this track is locked.", hint="Unlock it first.", field="grid"
        )


def _change(operation: GridOperation, grid: CorrectedGrid, facts: TrackFacts) -> CorrectedGrid:
    match operation:
        case ScaleGrid():
            return _scale(operation, grid, facts)
        case ShiftGrid(beats=beats):
            by_s = [beats * 60 / segment.tempo_bpm for segment in grid.segments]
            return move(grid, by_s, _duration(facts))
        case NudgeGrid(ms=ms):
            return move(grid, [ms / 1000] * len(grid.segments), _duration(facts))
        case SetDownbeat(time_s=time_s):
            return rotate(grid, nearest(beats_of(grid), _inside(time_s, facts)))
        case AnchorGrid(time_s=time_s):
            beat_s = nearest(beats_of(grid), _inside(time_s, facts))
            by_s = [time_s - beat_s] * len(grid.segments)
            return move(rotate(grid, beat_s), by_s, _duration(facts))
        case StretchGrid():
            return _stretch(operation, grid, facts)
        case SetMetre(beats_per_bar=beats_per_bar):
            return _set_metre(beats_per_bar, grid, facts)
        case LockGrid():
            return grid.model_copy(update={"is_locked": True})
        case UnlockGrid():
            return grid.model_copy(update={"is_locked": False})
    raise TypeError(f"no operation on a grid: {operation!r}")


def _lay(operation: LayGrid, grid: CorrectedGrid | None, facts: TrackFacts) -> CorrectedGrid:
    tempo_bpm = operation.tempo_bpm or (grid.tempo_bpm if grid else facts.tempo_bpm)
    if not tempo_bpm:
        raise _refused("The track has no tempo.", "Give tempo_bpm beside anchor_s.")
    beats_per_bar = operation.beats_per_bar or (grid.beats_per_bar if grid else USUAL_BEATS_PER_BAR)
    return lay_grid(_inside(operation.anchor_s, facts), tempo_bpm, beats_per_bar, _duration(facts))


def _scale(operation: ScaleGrid, grid: CorrectedGrid, facts: TrackFacts) -> CorrectedGrid:
    factor = Fraction(operation.by)
    tempo_bpm = _tempo(grid.tempo_bpm * float(factor))
    if len(grid.segments) == 1:
        return set_tempo(grid, tempo_bpm, facts)
    segments = []
    for segment, place in zip(grid.segments, places(grid), strict=True):
        first, end = ceil(factor * place), ceil(factor * (place + segment.n_beats))
        if end > first:
            late_s = float(first / factor - place) * 60 / segment.tempo_bpm
            segments.append(
                GridSegment(
                    start_s=round(segment.start_s + late_s, 6),
                    tempo_bpm=round(segment.tempo_bpm * float(factor), 4),
                    n_beats=end - first,
                    first_beat_in_bar=first % grid.beats_per_bar + 1,
                )
            )
    scaled = grid.model_copy(update={"tempo_bpm": tempo_bpm, "segments": segments})
    return trim(scaled, _duration(facts))


def _stretch(operation: StretchGrid, grid: CorrectedGrid, facts: TrackFacts) -> CorrectedGrid:
    to_s, beats = _inside(operation.to_s, facts), beats_of(grid)
    given = operation.anchor_s
    anchor_s = find_anchor(grid, facts.first_downbeat_s) if given is None else nearest(beats, given)
    beat_s = nearest(beats, operation.beat_s)
    factor = (to_s - anchor_s) / (beat_s - anchor_s) if beat_s != anchor_s else 0.0
    if factor <= 0:
        raise _refused(
            f"The beat at {beat_s:.3f} s cannot move to {to_s:.3f} s around {anchor_s:.3f} s.",
            "Move another beat than the anchor, and keep it on its side of the anchor.",
        )
    tempo_bpm = _tempo(grid.tempo_bpm / factor)
    if len(grid.segments) == 1:
        bar_s = nearest(downbeats_of(grid) or beats, anchor_s)
        bar_s = anchor_s + (bar_s - anchor_s) * factor
        return lay_grid(bar_s, tempo_bpm, grid.beats_per_bar, _duration(facts))
    segments = [
        segment.model_copy(
            update={
                "start_s": anchor_s + (segment.start_s - anchor_s) * factor,
                "tempo_bpm": round(segment.tempo_bpm / factor, 4),
            }
        )
        for segment in grid.segments
    ]
    stretched = grid.model_copy(update={"tempo_bpm": tempo_bpm, "segments": segments})
    return trim(stretched, _duration(facts))


def _set_metre(beats_per_bar: int, grid: CorrectedGrid, facts: TrackFacts) -> CorrectedGrid:
    if len(grid.segments) == 1:
        anchor_s = find_anchor(grid, facts.first_downbeat_s)
        return lay_grid(anchor_s, grid.tempo_bpm, beats_per_bar, _duration(facts))
    segments = [
        segment.model_copy(update={"first_beat_in_bar": place % beats_per_bar + 1})
        for segment, place in zip(grid.segments, places(grid), strict=True)
    ]
    return grid.model_copy(update={"beats_per_bar": beats_per_bar, "segments": segments})


def _tempo(tempo_bpm: float) -> float:
    if not LEAST_TEMPO_BPM <= tempo_bpm <= MOST_TEMPO_BPM:
        raise _refused(
            f"The tempo would be {tempo_bpm:g} BPM.",
            f"It can be {LEAST_TEMPO_BPM:g} to {MOST_TEMPO_BPM:g} BPM.",
        )
    return round(tempo_bpm, 4)


def _inside(time_s: float, facts: TrackFacts) -> float:
    if time_s >= _duration(facts):
        raise _refused(
            f"{time_s:g} s is after the end of the recording.",
            f"It lasts {_duration(facts):.3f} s.",
        )
    return time_s


def _duration(facts: TrackFacts) -> float:
    if not facts.duration_s:
        raise _refused("The duration of the track is unknown.", "Add its file again.")
    return facts.duration_s


def _refused(message: str, hint: str) -> InvalidOption:
    return InvalidOption(message, hint=hint, field="grid")
