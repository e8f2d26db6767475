"""stemcrate playlist: plan a set from the library and write it for DJ programs."""

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli.library import AsJson, DataDir, find_track, open_library
from cli.library_output import describe_track
from cli.output import EXIT_DONE, err, out, print_json
from config import settings
from core.artifacts.store import JobStore
from core.errors import InvalidOption
from core.export.format import ExportOptions, StemFormat, target_folder
from core.export.names import safe_name
from core.export.pack import write_pack
from core.export.registry import find_format
from core.library.records.record import PlaylistRecord
from core.playlist.curve import Points
from core.playlist.request import SetRequest
from core.system.atomic import write_atomically
from stemcrate.schemas.sets import DEFAULT_MAX_PITCH_PERCENT

# The commands import what reads the catalogue themselves: no other command waits for SQLAlchemy.
if TYPE_CHECKING:
    from core.library.library import Library

app = typer.Typer(help="Sets from the library.", invoke_without_command=True)
Option = typer.Option
PlaylistId = Annotated[str, typer.Argument(help="A playlist's id.")]
Target = Annotated[
    str | None, Option(help="Folder that the audio will lie in on the DJ's machine.")
]
StemCoding = Annotated[StemFormat, Option("--stem-format", help="Of the pack's STEM files.")]
FORMATS_HELP = "Formats, such as rekordbox,m3u8; pack: one ZIP of everything."
Formats = Annotated[str | None, Option("--export", help=FORMATS_HELP)]


@app.callback()
def playlist(
    context: typer.Context,
    name: Annotated[str | None, Option(help="Name of the set.")] = None,
    duration: Annotated[float | None, Option(help="Length in minutes.")] = None,
    n_tracks: Annotated[int | None, Option("--tracks", help="Number of tracks.")] = None,
    curve: Annotated[
        str | None,
        Option(help="warm-up, peak, cool-down, wave, flat, or points: '0:3,0.5:8,1:6'."),
    ] = None,
    among: Annotated[
        list[str] | None, Option("--track", help="Choose among these only; may be given again.")
    ] = None,
    start: Annotated[str | None, Option(help="The first track.")] = None,
    end: Annotated[str | None, Option(help="The last track.")] = None,
    must_play: Annotated[list[str] | None, Option(help="A track that has to be in.")] = None,
    never: Annotated[list[str] | None, Option(help="A track that must not be in.")] = None,
    artist_gap: Annotated[int, Option(help="No artist twice within so many tracks.")] = 0,
    max_pitch_percent: Annotated[
        float, Option(help="Largest change of pitch.")
    ] = DEFAULT_MAX_PITCH_PERCENT,
    export: Formats = None,
    out_dir: Annotated[Path | None, Option("--out", help="Folder for the files.")] = None,
    target: Target = None,
    stem_format: StemCoding = StemFormat.ALAC_24,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Plan a set, keep it, and write it in the formats named."""
    from core.sets.planning import SetPlanner

    if context.invoked_subcommand is not None:
        return
    if name is None:
        raise typer.BadParameter("Give the set a --name.")
    formats = _check_formats(export)
    library = open_library(data_dir)

    def find(track: str | None) -> str | None:
        return None if track is None else find_track(library, track)

    request = SetRequest(
        duration_s=None if duration is None else duration * 60,
        n_tracks=n_tracks,
        curve=None if curve is None else _read_curve(curve),
        start=find(start),
        end=find(end),
        must_play=tuple(find_track(library, track) for track in must_play or ()),
        never=tuple(find_track(library, track) for track in never or ()),
        artist_gap=artist_gap,
        max_pitch_percent=max_pitch_percent,
    )
    chosen = [find_track(library, track) for track in among] if among else None
    record = SetPlanner(library).create(name, request, among=chosen)
    _tell(library, record, _Delivery(formats, out_dir, target, data_dir, stem_format), json)


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
    formats: Annotated[str, Option("--formats", help=FORMATS_HELP)],
    out_dir: Annotated[Path | None, Option("--out", help="Folder for the files.")] = None,
    target: Target = None,
    stem_format: StemCoding = StemFormat.ALAC_24,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Write a playlist in the formats named."""
    names = _check_formats(formats)
    library = open_library(data_dir)
    record = library.playlists.get(playlist_id)
    _tell(library, record, _Delivery(names, out_dir, target, data_dir, stem_format), json)


@app.command()
def reorder(
    playlist_id: PlaylistId,
    tracks: Annotated[list[str], typer.Argument(help="All its tracks in their new order.")],
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Put a playlist into another order; tracks may come and go."""
    from core.sets.planning import SetPlanner

    library = open_library(data_dir)
    ids = [find_track(library, track) for track in tracks]
    record = SetPlanner(library).reorder(playlist_id, ids)
    _tell(library, record, _Delivery((), None, None, data_dir), json)


@app.command()
def delete(playlist_id: PlaylistId, data_dir: DataDir = None) -> None:
    """Delete a playlist; its tracks stay in the library."""
    open_library(data_dir).playlists.delete(playlist_id)


def _check_formats(text: str | None) -> tuple[str, ...]:
    from core.sets.exporting import PACK

    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    for name in names:
        if name != PACK:
            find_format(name)
    return names


def _read_curve(text: str) -> str | Points:
    """Read a curve's name, or points such as ``0:3,0.5:8,1:6``."""
    if ":" not in text:
        return text
    try:
        pairs = [point.split(":") for point in text.split(",")]
        return tuple((float(progress), float(energy)) for progress, energy in pairs)
    except ValueError:
        raise InvalidOption(
            f"'{text}' is no energy curve.",
            hint="Write points as progress:energy, such as '0:3,0.5:8,1:6'.",
            field="curve",
        ) from None


@dataclass(frozen=True, slots=True)
class _Delivery:
    """Which formats are wanted, and where: None takes what the installation has."""

    formats: tuple[str, ...]
    out_dir: Path | None
    target: str | None
    data_dir: Path | None
    stem_format: StemFormat = StemFormat.ALAC_24

    @property
    def store(self) -> JobStore:
        return JobStore(self.data_dir or settings().data_dir)

    def folder(self, record: PlaylistRecord) -> Path:
        return (self.out_dir or self.store.downloads / safe_name(record.name)).resolve()


def _deliver(
    library: "Library", record: PlaylistRecord, delivery: _Delivery
) -> tuple[dict[str, str], list[str]]:
    """Write the files; give their paths by format, and what there is to know about them."""
    from core.sets.exporting import PACK, export_playlist

    folder, target = delivery.folder(record), delivery.target
    options = ExportOptions(
        target=None if target is None else target_folder(target), stem_format=delivery.stem_format
    )
    files: dict[str, str] = {}
    warnings: list[str] = []
    for format in delivery.formats:
        if format == PACK:
            path = folder / f"{safe_name(record.name)}.zip"
            warnings += _write_pack(library, record, delivery.store, path, options)
            files[format] = str(path)
            continue
        written = export_playlist(library, record, format, options, by_name=target is not None)
        for file_name, data in written.files.items():
            write_atomically(folder / file_name, data)
        # Several files (Serato's crates) are told by their folder.
        single = next(iter(written.files)) if len(written.files) == 1 else ""
        files[format] = str(folder / single)
        warnings += written.warnings
    return files, warnings


def _write_pack(
    library: "Library", record: PlaylistRecord, store: JobStore, path: Path, options: ExportOptions
) -> list[str]:
    from core.sets.exporting import make_playlist_pack

    pack = make_playlist_pack(library, store, record, options)
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=".pack-") as staging:
        write_pack(pack.entries(Path(staging)), path)
    return pack.warnings


def _tell(library: "Library", record: PlaylistRecord, delivery: _Delivery, json: bool) -> None:
    """Write the files, then tell the playlist: as a table, or as one JSON object."""
    files, warnings = _deliver(library, record, delivery)
    tracks = library.summaries(record.track_ids)
    warnings += [f"'{t.title}': its file has moved: {t.paths}" for t in tracks if t.is_missing]
    if json:
        print_json(_describe(record, [describe_track(t) for t in tracks], files, warnings))
        sys.exit(EXIT_DONE)
    table = Table(
        "#", "Title", "Artist", "BPM", "Camelot", "Energy", "Into the next", title=record.name
    )
    steps = record.plan.transitions
    for place, track in enumerate(tracks):
        step = steps[place] if place < len(steps) else None
        table.add_row(
            str(place + 1),
            track.title,
            track.artist or "–",
            "–" if track.tempo_bpm is None else f"{track.tempo_bpm:.2f}",
            track.camelot or "–",
            "–" if track.energy is None else f"{track.energy:.0f}",
            f"{step.score:.2f}: {'; '.join(step.reasons)}" if step else "",
        )
    out.print(table)
    out.print(f"Playlist {record.id}")
    for relaxed in record.plan.relaxed:
        err.print(f"relaxed: {relaxed.words}")
    for warning in dict.fromkeys(warnings):
        err.print(f"warning: {warning}")
    for format, path in files.items():
        typer.echo(f"{format}: {path}")


def _describe(
    record: PlaylistRecord,
    tracks: list[dict[str, Any]],
    files: dict[str, str],
    warnings: list[str],
) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "duration_s": record.plan.duration_s,
        "tracks": tracks,
        "transitions": [step.model_dump() for step in record.plan.transitions],
        "relaxed": [relaxed.model_dump() for relaxed in record.plan.relaxed],
        "warnings": list(dict.fromkeys(warnings)),
        "files": files,
    }
