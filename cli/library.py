"""stemcrate library: tracks, search, similar and compatible tracks."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cli.library_output import (
    describe_refresh,
    describe_report,
    print_refresh,
    print_refusals,
    print_tracks,
)
from cli.option_model import Asked, OptionsOf, with_options
from cli.output import EXIT_DONE, EXIT_FAILED, EXIT_IN_PART, err, out, print_json
from cli.progress import file_progress
from config import settings, storage_at
from core.analysis.store import FactStore
from core.analysis.version import ANALYSIS_VERSION
from core.artifacts.store import JobStore
from core.library.intake.listing import list_files
from core.system.logs import configure_logging
from core.system.validation import validate
from stemcrate.schemas.enrichment import SimilarityBasis
from stemcrate.schemas.facts import MIXTURE
from stemcrate.schemas.search import MAX_LIMIT, TrackQuery
from stemcrate.schemas.sets import DEFAULT_MAX_PITCH_PERCENT

# Commands import the catalogue late: no other command waits for SQLAlchemy.
if TYPE_CHECKING:
    from core.library.intake.importing import ImportReport
    from core.library.library import Library

app = typer.Typer(help="The library: add, search, compare tracks.", no_args_is_help=True)
Option = typer.Option
AsJson = Annotated[bool, Option("--json", help="Print one JSON object.")]
DataDir = Annotated[Path | None, Option(help="Folder for all results.")]
Track = Annotated[str, typer.Argument(help="A track: its file, or the beginning of its id.")]
Limit = Annotated[int, Option(min=1, max=MAX_LIMIT, help="Maximum number of tracks.")]
Processes = Annotated[
    int, Option(min=1, help="Number of files to analyse in parallel.", show_default="one per core")
]
N_CORES = os.cpu_count() or 1


def open_library(data_dir: Path | None) -> "Library":
    """Open the library of the installation, or of another data folder."""
    from core.library.library import Library

    installation = settings()
    if data_dir is not None:
        installation = installation.model_copy(update={"data_dir": data_dir})
    configure_logging(
        installation.log_level,
        installation.data_dir,
        "cli",
        console=False,
        format=installation.log_format,
    )
    return Library(installation.storage(), installation.resolved_database_url())


def _fact_store(data_dir: Path | None) -> FactStore:
    return FactStore(data_dir or settings().data_dir, settings().cache_max_bytes)


def find_track(library: "Library", text: str) -> str:
    """Find a track by its file or a prefix of its id. Raises `TrackNotFound`."""
    path = str(Path(text).resolve())
    known = library.known_files([path])
    return known[path].track_id if path in known else library.find_id(text)


@app.command()
def add(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, folders (recursively), M3U8 playlists.")
    ] = None,
    job: Annotated[str | None, Option(help="Add the tracks of this job instead.")] = None,
    processes: Processes = N_CORES,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Add files without copying them; known files are skipped. Exit code 3: some failed."""
    from core.library.intake.importing import SourceFile, import_files
    from core.library.intake.job_tracks import enter_job

    if bool(paths) == (job is not None):
        raise typer.BadParameter("Name files and folders, or a job with --job.")
    library = open_library(data_dir)
    if job is not None:
        store = JobStore(storage_at(data_dir))
        _finish(enter_job(library, store, job), json)
    listing = list_files(paths or [])
    sources = [SourceFile(path, path.name) for path in listing.files]
    with file_progress() as progress:
        report = import_files(
            library,
            sources,
            store=_fact_store(data_dir),
            n_processes=min(processes, max(len(sources), 1)),
            progress=progress,
        )
    report.refused[:0] = listing.refusals
    _finish(report, json)


@app.command("list")
@with_options
def list_tracks(
    asked: Annotated[Asked, OptionsOf(TrackQuery, only=("sort", "descending", "limit", "cursor"))],
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """List the tracks of the library."""
    _print_page(open_library(data_dir), validate(TrackQuery, asked), json)


@app.command()
@with_options
def search(
    asked: Annotated[Asked, OptionsOf(TrackQuery, without=("text",))],
    text: Annotated[
        list[str] | None, typer.Argument(help="Words of title, artist, album …")
    ] = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Search by words, key, tempo, energy, loudness, duration and vocals."""
    query = validate(TrackQuery, {**asked, "text": " ".join(text or [])})
    _print_page(open_library(data_dir), query, json)


@app.command()
def similar(
    track: Track,
    basis: Annotated[
        SimilarityBasis, Option(help="What is compared; an enricher finds sound and tags.")
    ] = SimilarityBasis.DESCRIPTORS,
    part: Annotated[str, Option(help="`mixture`, or a stem such as `drums`.")] = MIXTURE,
    limit: Limit = 20,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """List the tracks that sound most similar."""
    library = open_library(data_dir)
    found = library.similar(find_track(library, track), basis=basis, part=part, limit=limit)
    if json:
        described = [
            {**other.model_dump(mode="json"), "similarity": value} for other, value in found
        ]
        print_json({"tracks": described})
        return
    print_tracks([other for other, _ in found], "Similarity", [f"{v:.3f}" for _, v in found])


@app.command()
def compatible(
    track: Track,
    max_pitch_percent: Annotated[
        float, Option(help="Maximum pitch change, in percent.")
    ] = DEFAULT_MAX_PITCH_PERCENT,
    limit: Limit = 20,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """List the tracks that mix well after one, with reasons."""
    from core.sets.planning import SetPlanner

    library = open_library(data_dir)
    found = SetPlanner(library).compatible(
        find_track(library, track), limit=limit, max_pitch_percent=max_pitch_percent
    )
    if json:
        described = [
            {**other.model_dump(mode="json"), "transition": step.model_dump()}
            for other, step in found
        ]
        print_json({"tracks": described})
        return
    why = [f"{step.score:.2f}: {'; '.join(step.reasons)}" for _, step in found]
    print_tracks([other for other, _ in found], "Score and reasons", why)


@app.command()
def duplicates(data_dir: DataDir = None, json: AsJson = False) -> None:
    """List duplicates: same file, same audio, same recording."""
    from core.library.duplicates import find_duplicates

    groups = find_duplicates(open_library(data_dir))
    if json:
        described = [
            {
                "level": group.level,
                "bit_error_rate": group.bit_error_rate,
                "tracks": [track.model_dump(mode="json") for track in group.tracks],
            }
            for group in groups
        ]
        print_json({"duplicates": described})
        return
    table = Table("Level", "Bits that differ", "Title", "File")
    for group in groups:
        rate = "–" if group.bit_error_rate is None else f"{group.bit_error_rate:.1%}"
        for track in group.tracks:
            table.add_row(group.level, rate, track.title, "\n".join(track.paths))
    out.print(table)


@app.command("reindex")
def reindex_command(
    processes: Processes = N_CORES, data_dir: DataDir = None, json: AsJson = False
) -> None:
    """Rebuild the catalogue from the records on disk and the manifests of all jobs."""
    from core.library.intake.job_tracks import reindex

    library = open_library(data_dir)
    store = JobStore(storage_at(data_dir))
    report = reindex(library, store, n_processes=processes)
    if json:
        print_json({"tracks": library.count(), **describe_report(report)})
    else:
        out.print(f"{library.count()} tracks in the library.")
        print_refusals(report.refused)
    sys.exit(_exit_code(report, nothing_is_failure=False))


@app.command()
def refresh(
    dry_run: Annotated[bool, Option("--dry-run", help="Only list the stale tracks.")] = False,
    processes: Processes = N_CORES,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Re-analyse tracks with facts of an older analysis. Exit code 3: some failed."""
    from core.library.intake.refresh import refresh as refresh_tracks

    library = open_library(data_dir)
    if dry_run:
        stale = library.stale_tracks(ANALYSIS_VERSION)
        if json:
            print_json({"stale": [track.model_dump(mode="json") for track in stale]})
        else:
            print_tracks(stale)
            out.print(f"{len(stale)} of {library.count()} tracks are stale.")
        return
    with file_progress() as progress:
        report = refresh_tracks(
            library, store=_fact_store(data_dir), n_processes=processes, progress=progress
        )
    print_json(describe_refresh(report)) if json else print_refresh(report)
    sys.exit(EXIT_IN_PART if report.refused else EXIT_DONE)


@app.command()
def remove(
    tracks: Annotated[
        list[str], typer.Argument(help="Tracks: their files, or the beginnings of their ids.")
    ],
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Remove tracks; their files are kept."""
    from core.library.intake.uploads import remove_track

    library = open_library(data_dir)
    store = JobStore(storage_at(data_dir))
    ids = [find_track(library, track) for track in tracks]
    for track_id in dict.fromkeys(ids):
        remove_track(library, store, track_id)
    if json:
        print_json({"removed": ids})
    else:
        out.print(f"{len(ids)} removed.")


def _print_page(library: "Library", query: TrackQuery, json: bool) -> None:
    page = library.search(query)
    if json:
        described = [track.model_dump(mode="json") for track in page.tracks]
        print_json({"tracks": described, "next_cursor": page.next_cursor})
        return
    print_tracks(page.tracks)
    if page.next_cursor is not None:
        err.print(f"More: --cursor {page.next_cursor}", soft_wrap=True)


def _finish(report: "ImportReport", json: bool) -> None:
    if json:
        print_json(describe_report(report))
    else:
        out.print(
            f"{len(report.added)} added, {len(report.known)} known before, "
            f"{len(report.refused)} refused.",
        )
        print_refusals(report.refused)
    sys.exit(_exit_code(report, nothing_is_failure=True))


def _exit_code(report: "ImportReport", *, nothing_is_failure: bool) -> int:
    if not report.refused:
        return EXIT_DONE
    is_nothing = not report.added and not report.known
    return EXIT_FAILED if is_nothing and nothing_is_failure else EXIT_IN_PART
