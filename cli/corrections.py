"""stemcrate library show, correct and undo: corrections of a track by hand."""

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli.library import AsJson, DataDir, Track, find_track, open_library
from cli.option_model import Asked, OptionsOf, with_options
from cli.output import out, print_json
from core.errors import InvalidOption
from core.system.validation import validate
from stemcrate.schemas.corrections import Corrections, CorrectionsChange
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.library import TrackDetails

if TYPE_CHECKING:
    from core.library.library import Library

_OPERATIONS: dict[str, tuple[str, ...]] = {
    "scale": ("by",),
    "shift": ("beats",),
    "nudge": ("ms",),
    "downbeat": ("time_s",),
    "anchor": ("time_s",),
    "stretch": ("beat_s", "to_s", "anchor_s"),
    "metre": ("beats_per_bar",),
    "lay": ("anchor_s", "tempo_bpm", "beats_per_bar"),
    "lock": (),
    "unlock": (),
}
"""Operations on the grid, with the values that follow after colons, in order."""
_SHOWN = (
    *("title", "artist", "album", "genre", "year", "comment", "rating", "energy"),
    *("key", "camelot", "tempo_bpm", "time_signature", "first_downbeat_s"),
    *("beats_s", "downbeats_s", "cues"),
)
_CORRECTED_AS = {"camelot": "key"} | dict.fromkeys(
    ("tempo_bpm", "time_signature", "first_downbeat_s", "beats_s", "downbeats_s"), "grid"
)
"""Fields whose correction is shown by a fact that follows from it."""


def show(track: Track, data_dir: DataDir = None, json: AsJson = False) -> None:
    """Show a track: what is known of it, what was corrected, and what had been found."""
    library = open_library(data_dir)
    _print(library, find_track(library, track), json)


@with_options
def correct(
    track: Track,
    asked: Annotated[Asked, OptionsOf(CorrectionsChange, without=("grid", "cues"))],
    grid: Annotated[
        list[str] | None,
        typer.Option(
            help="An operation on the beat grid, as `scale:2`, `shift:0.5`, `nudge:-8`, "
            "`downbeat:31.2`, `anchor:31.187`, `stretch:241.0:240.8`, `metre:3`, `lay:0.42:128`, "
            "`lock` or `unlock`; several are carried out in order."
        ),
    ] = None,
    cues: Annotated[
        str | None, typer.Option(help="All cue points and loops, as JSON, or `@` and its file.")
    ] = None,
    undo: Annotated[
        list[str] | None, typer.Option(help="A field whose correction is undone; repeatable.")
    ] = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Correct a track by hand; corrections win over every analysis."""
    fields: dict[str, Any] = dict.fromkeys(undo or [])
    fields |= asked
    if grid:
        fields["grid"] = [_read_operation(text) for text in grid]
    if cues is not None:
        fields["cues"] = _read_cues(cues)
    unknown = next((name for name in fields if name not in Corrections.model_fields), None)
    if unknown is not None:
        raise InvalidOption(
            f"'{unknown}' cannot be corrected.",
            hint=f"Fields: {', '.join(Corrections.model_fields)}.",
            field="undo",
        )
    if not fields:
        raise typer.BadParameter("Give at least one correction, or --undo FIELD.")
    library = open_library(data_dir)
    track_id = find_track(library, track)
    library.correct(track_id, validate(CorrectionsChange, fields))
    _print(library, track_id, json)


def undo(track: Track, data_dir: DataDir = None, json: AsJson = False) -> None:
    """Undo the last change of a track's corrections."""
    library = open_library(data_dir)
    track_id = find_track(library, track)
    library.undo_correction(track_id)
    _print(library, track_id, json)


def _read_operation(text: str) -> dict[str, Any]:
    """Parse an operation: ``stretch:241.0:240.8``."""
    op, *values = text.split(":")
    names = _OPERATIONS.get(op)
    if names is None or len(values) > len(names):
        raise InvalidOption(
            f"'{text}' is not an operation on the beat grid.",
            hint=f"Operations: {', '.join(_OPERATIONS)}; see docs/corrections.md.",
            field="grid",
        )
    return {"op": op, **{n: _read_number(n, v) for n, v in zip(names, values, strict=False)}}


def _read_number(name: str, text: str) -> str | int | float:
    if name == "by":
        return text
    try:
        return int(text) if name == "beats_per_bar" else float(text)
    except ValueError:
        raise InvalidOption(f"'{text}' is not a number ({name}).", field="grid") from None


def _read_cues(text: str) -> Any:
    try:
        content = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        return json_text.loads(content)
    except (OSError, ValueError) as error:
        raise InvalidOption(
            f"The cues cannot be read: {error}.",
            hint='Write them as [{"time_s": 31.2, "name": "Drop", "hot_cue": 1}].',
            field="cues",
        ) from error


def _print(library: "Library", track_id: str, json: bool) -> None:
    from core.library.details import describe_track

    details = describe_track(library, track_id)
    if json:
        print_json(details.model_dump(mode="json"))
        return
    out.print(f"{track_id}  {details.name}")
    out.print(_facts_table(details))
    if details.corrections.n_undo:
        out.print(f"{details.corrections.n_undo} changes can be undone: stemcrate library undo.")


def _facts_table(details: TrackDetails) -> Table:
    """Return a table of what can be corrected, with what was found."""
    made = details.corrections
    table = Table("Field", "Value", "Found", "Corrected")
    for name in _SHOWN:
        is_tag = name not in TrackFacts.model_fields
        values, found = (details.tags, made.tags) if is_tag else (details.facts, made.analysed)
        is_changed = name in found.model_fields_set
        at = made.corrected_at.get(_CORRECTED_AS.get(name, name))
        table.add_row(
            name,
            _shown(getattr(values, name)),
            _shown(getattr(found, name)) if is_changed else "",
            f"{at:%Y-%m-%d %H:%M}" if at and is_changed else "",
        )
    return table


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return str(len(value)) if isinstance(value, list) else str(value)
