"""The one rule of corrections: what was found, with what a person corrected in its place.

Pure functions; every reader of facts that shows, searches, plans, exports or tags goes through
them, and none of them changes what it is given.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from core.analysis.harmony.camelot import key_to_camelot, key_to_open_key, key_to_short
from core.library.corrections.grid import beats_of, downbeats_of, grid_of
from core.library.corrections.operations import set_tempo
from core.library.corrections.structure import follow_bars
from stemcrate.schemas.corrections import CorrectedGrid, Corrections
from stemcrate.schemas.facts import CuePoint, TrackFacts

F = TypeVar("F", bound=TrackFacts)
CERTAIN = 1.0
"""Confidence of what a person set."""
TAGS = ("album", "genre", "year", "comment")
"""Corrections of tags that are no facts of the analysis."""


def apply(facts: F, corrections: Corrections) -> F:
    """Return facts with corrections in place of what they correct.

    A corrected grid brings its beats, bars and tempo, and moves what lies on bars: sections, mixing
    windows and the analysis's cues. A corrected key brings its codes.
    """
    changes: dict[str, Any] = {}
    if corrections.title is not None:
        changes["title"] = corrections.title
    if corrections.artist is not None:
        changes["artist"] = corrections.artist or None
    if corrections.rating is not None:
        changes["rating"] = corrections.rating
    if corrections.energy is not None:
        changes["energy"] = corrections.energy
    if corrections.key is not None:
        changes |= _key_facts(facts, corrections.key)
    if corrections.tempo_bpm is not None:
        changes |= _tempo_facts(facts, corrections.tempo_bpm)
    grid = find_grid(facts, corrections)
    if grid is not None:
        changes |= _grid_facts(facts, grid)
    if corrections.cues is not None:
        changes["cues"] = [CuePoint.model_validate(cue.model_dump()) for cue in corrections.cues]
    return facts.model_copy(update=changes) if changes else facts


def find_grid(facts: TrackFacts, corrections: Corrections) -> CorrectedGrid | None:
    """Return the corrected grid; None if it is that of the analysis.

    A tempo that was corrected before the analysis found beats makes their grid even.
    """
    found = grid_of(facts)
    if corrections.grid is None and corrections.tempo_bpm is not None and found is not None:
        return set_tempo(found, corrections.tempo_bpm, facts) if facts.duration_s else None
    return corrections.grid


def correct_tags(corrections: Corrections) -> dict[str, Any]:
    """Return the corrected tags among `TAGS`, as text by name; None: removed."""
    given = {name: getattr(corrections, name) for name in TAGS}
    return {name: str(value) or None for name, value in given.items() if value is not None}


def find_changes(found: TrackFacts, corrected: TrackFacts) -> TrackFacts:
    """Return the values found for the facts that corrections changed."""
    names = found.model_fields_set | corrected.model_fields_set
    return TrackFacts.model_validate(
        {
            name: value
            for name, value in ((n, getattr(found, n)) for n in names)
            if value != getattr(corrected, name)
        }
    )


def _key_facts(facts: TrackFacts, key: str) -> Mapping[str, Any]:
    return {
        "key": key,
        "key_short": key_to_short(key),
        "camelot": key_to_camelot(key),
        "open_key": key_to_open_key(key),
        "key_confidence": CERTAIN,
        "key_alternatives": [other for other in facts.key_alternatives if other.key != key],
        "key_is_contested": False,
    }


def _tempo_facts(facts: TrackFacts, tempo_bpm: float) -> Mapping[str, Any]:
    return {
        "tempo_bpm": tempo_bpm,
        "tempo_confidence": CERTAIN,
        "tempo_alternatives": [
            other for other in facts.tempo_alternatives if other.tempo_bpm != tempo_bpm
        ],
    }


def _grid_facts(facts: TrackFacts, grid: CorrectedGrid) -> Mapping[str, Any]:
    downbeats_s = downbeats_of(grid)
    return {
        **_tempo_facts(facts, grid.tempo_bpm),
        "tempo_is_steady": len(grid.segments) == 1,
        "time_signature": f"{grid.beats_per_bar}/4",
        "beats_s": beats_of(grid),
        "downbeats_s": downbeats_s,
        "downbeat_confidence": CERTAIN,
        "beat_grid": grid.segments,
        **follow_bars(facts, downbeats_s, facts.duration_s or 0.0),
    }
