"""stemcrate playlist: plan a set from the library and write it for DJ programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cli.library import AsJson, DataDir, find_track, open_library
from cli.option_model import Asked, OptionsOf, with_options
from cli.output import out, print_json
from cli.playlist_files import Delivery, deliver
from cli.playlist_output import describe_playlist, print_playlist
from core.errors import InvalidOption
from core.export.registry import find_format
from core.library.records.record import PlaylistRecord
from core.system.validation import validate
from stemcrate.schemas.curves import Points
from stemcrate.schemas.playlists import PlaylistRequest, StemFormat

# The commands import what reads the catalogue themselves: no other command waits for SQLAlchemy.
if TYPE_CHECKING:
    from core.library.library import Library

app = typer.Typer(help="Sets from the library.", invoke_without_command=True)
Option = typer.Option
PlaylistId = Annotated[str, typer.Argument(help="A playlist's id.")]
Target = Annotated[str | None, Option(help="Folder of the audio files on the DJ's machine.")]
StemCoding = Annotated[
    StemFormat, Option("--stem-format", help="Encoding of the STEM files in the pack.")
]
Formats = Annotated[
    str, Option(help="Formats, such as `rekordbox,m3u8`; `pack`: one ZIP of everything.")
]


@app.callback()
@with_options
def playlist(
    context: typer.Context,
    asked: Annotated[Asked, OptionsOf(PlaylistRequest)],
    formats: Formats = "",
    out_dir: Annotated[Path | None, Option("--out", help="Folder for the files.")] = None,
    target: Target = None,
    stem_format: StemCoding = StemFormat.ALAC_24,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Plan a set, save it, and export it."""
    from core.sets.planning import SetPlanner

    if context.invoked_subcommand is not None:
        return
    curve = {"curve": _read_curve(asked["curve"])} if "curve" in asked else {}
    wishes = validate(PlaylistRequest, {**asked, **curve})
    delivery = Delivery(_check_formats(formats), out_dir, target, data_dir, stem_format)
    library = open_library(data_dir)
    record = SetPlanner(library).create(_find_tracks(library, wishes))
    _finish(library, record, delivery, json)


@app.command("list")
def list_playlists(data_dir: DataDir = None, json: AsJson = False) -> None:
    """List the playlists, newest first."""
    records = open_library(data_dir).playlists.all()
    if json:
        print_json(
            {
                "playlists": [
                    {
                        "id": record.id,
                        "name": record.name,
                        "created_at": record.created_at.isoformat(),
                        "n_tracks": len(record.track_ids),
                    }
                    for record in records
                ]
            }
        )
        return
    table = Table("Id", "Name", "Tracks", "Made")
    for record in records:
        made = record.created_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(record.id, record.name, str(len(record.track_ids)), made)
    out.print(table)


@app.command()
def export(
    playlist_id: PlaylistId,
    formats: Formats,
    out_dir: Annotated[Path | None, Option("--out", help="Folder for the files.")] = None,
    target: Target = None,
    stem_format: StemCoding = StemFormat.ALAC_24,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Export a playlist."""
    names = _check_formats(formats)
    library = open_library(data_dir)
    record = library.playlists.get(playlist_id)
    _finish(library, record, Delivery(names, out_dir, target, data_dir, stem_format), json)


@app.command()
def reorder(
    playlist_id: PlaylistId,
    tracks: Annotated[list[str], typer.Argument(help="All its tracks in their new order.")],
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Reorder a playlist; tracks may be added and removed."""
    from core.sets.planning import SetPlanner

    library = open_library(data_dir)
    ids = [find_track(library, track) for track in tracks]
    record = SetPlanner(library).reorder(playlist_id, ids)
    _finish(library, record, Delivery((), None, None, data_dir), json)


@app.command()
def delete(playlist_id: PlaylistId, data_dir: DataDir = None) -> None:
    """Delete a playlist; its tracks stay in the library."""
    open_library(data_dir).playlists.delete(playlist_id)


def _check_formats(text: str) -> tuple[str, ...]:
    from core.export.format import PACK

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name != PACK:
            find_format(name)
    return names


def _read_curve(text: str) -> str | Points:
    """Parse a curve's name, or points such as ``0:3,0.5:8,1:6``."""
    if ":" not in text:
        return text
    try:
        pairs = [point.split(":") for point in text.split(",")]
        return tuple((float(progress), float(energy)) for progress, energy in pairs)
    except ValueError:
        raise InvalidOption(
            f"'{text}' is not an energy curve.",
            hint="Write points as progress:energy, such as '0:3,0.5:8,1:6'.",
            field="curve",
        ) from None


def _find_tracks(library: "Library", wishes: PlaylistRequest) -> PlaylistRequest:
    """Replace tracks given as files or prefixes of ids by their ids."""

    def find(names: str | list[str] | None) -> str | list[str] | None:
        if isinstance(names, list):
            return [find_track(library, name) for name in names]
        return None if names is None else find_track(library, names)

    fields = ("tracks", "among", "start", "end", "must_play", "never")
    return wishes.model_copy(update={name: find(getattr(wishes, name)) for name in fields})


def _finish(library: "Library", record: PlaylistRecord, delivery: Delivery, json: bool) -> None:
    """Write the files, then print the playlist as a table or as one JSON object."""
    files, warnings = deliver(library, record, delivery)
    tracks = library.summaries(record.track_ids)
    warnings += [f"'{t.title}': its file has moved: {t.paths}" for t in tracks if t.is_missing]
    warnings = list(dict.fromkeys(warnings))
    if json:
        print_json(describe_playlist(record, tracks, files, warnings))
    else:
        print_playlist(record, tracks, files, warnings)
