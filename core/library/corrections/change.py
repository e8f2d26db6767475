"""From what a person asks for to the corrections that are kept."""

from typing import Any

from core.analysis.harmony.camelot import parse_key
from core.audio.tagging.tags import clean_text
from core.errors import InvalidOption
from core.library.corrections.apply import apply
from core.library.corrections.grid import grid_of
from core.library.corrections.operations import operate, require_unlocked, set_tempo
from stemcrate.schemas.corrections import (
    CorrectedCue,
    CorrectedGrid,
    Corrections,
    CorrectionsChange,
)
from stemcrate.schemas.facts import TrackFacts

_TEXTS = {"title": 500, "artist": 500, "album": 500, "genre": 500, "comment": 4000}
"""Corrected texts, and their greatest length in characters."""
_RHYTHM = ("tempo_bpm", "grid")


def change_corrections(
    before: Corrections, change: CorrectionsChange, found: TrackFacts
) -> Corrections:
    """Return the corrections after a change.

    Parameters
    ----------
    found : the facts of the analysis, with the duration.

    Raises
    ------
    GridLocked : the change concerns a locked grid.
    InvalidOption : a value is none, such as a key that does not exist or a time after the end.
    """
    asked = {name: getattr(change, name) for name in change.model_fields_set}
    values = {
        name: _check(name, value, found) for name, value in asked.items() if name not in _RHYTHM
    }
    return _change_rhythm(before, change, found).model_copy(update=values)


def _check(name: str, value: Any, found: TrackFacts) -> Any:
    if name in _TEXTS and value is not None:
        text = clean_text(value, limit=_TEXTS[name]) or ""
        if name == "title" and not text:
            raise InvalidOption(
                "A title needs letters.", hint="Give null to undo its correction.", field=name
            )
        return text
    if name == "key" and value is not None:
        key = parse_key(value)
        if key is None:
            raise InvalidOption(
                f"'{value}' is not a musical key.",
                hint="Write it as 8A, 1m, Am or A minor.",
                field=name,
            )
        return key
    if name == "cues" and value is not None:
        return [_check_cue(cue, found) for cue in value]
    return value


def _check_cue(cue: CorrectedCue, found: TrackFacts) -> CorrectedCue:
    end_s = cue.time_s if cue.end_s is None else cue.end_s
    if found.duration_s and end_s > found.duration_s:
        raise InvalidOption(
            f"A cue at {end_s:g} s is after the end of the recording.",
            hint=f"It lasts {found.duration_s:.3f} s.",
            field="cues",
        )
    return cue.model_copy(update={"name": clean_text(cue.name, limit=100) or ""})


def _change_rhythm(
    before: Corrections, change: CorrectionsChange, found: TrackFacts
) -> Corrections:
    """Return corrections with another tempo and grid, of which one is kept at most."""
    kept = before
    for name in change.model_fields_set.intersection(_RHYTHM):
        if getattr(change, name) is None:
            require_unlocked(kept.grid)
            kept = _with_rhythm(kept)
    if change.tempo_bpm is not None:
        require_unlocked(kept.grid)
        facts = apply(found, kept)
        grid = grid_of(facts)
        if grid is None:
            kept = _with_rhythm(kept, tempo_bpm=change.tempo_bpm)
        else:
            kept = _with_rhythm(kept, grid=set_tempo(grid, change.tempo_bpm, facts))
    for operation in change.grid or []:
        facts = apply(found, kept)
        grid = operate(operation, kept.grid or grid_of(facts), facts)
        kept = _with_rhythm(kept, grid=None if grid == grid_of(found) else grid)
    return kept


def _with_rhythm(
    corrections: Corrections,
    *,
    tempo_bpm: float | None = None,
    grid: CorrectedGrid | None = None,
) -> Corrections:
    return corrections.model_copy(update={"tempo_bpm": tempo_bpm, "grid": grid})
