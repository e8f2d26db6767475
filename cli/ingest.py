"""stemcrate ingest: links and lists of tracks, into the library or a job."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cli.option_model import Asked, OptionsOf, with_options
from cli.output import EXIT_DONE, EXIT_FAILED, EXIT_IN_PART, err, out, print_json
from cli.process import checked_options, run_job, take_files
from cli.progress import file_progress
from cli.running import log_here
from config import Settings, settings
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.errors import InvalidList, SourceNotFound
from core.system.atomic import write_atomically
from stemcrate.schemas.ingests import IngestedTrack, IngestManifest, TrackOutcome
from stemcrate.schemas.options import ProcessingOptions

if TYPE_CHECKING:
    from core.library.library import Library
    from core.sources.collecting import Collector
    from core.sources.ingesting import Found

N_CORES = os.cpu_count() or 1
_SHOW_EVERY_S = 0.2
_ANYWHERE = Path("/")
Option = typer.Option


@with_options
def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(help="Links, lists (text, CSV, M3U8, XSPF, XML, NML, JSON), files."),
    ],
    asked: Annotated[Asked, OptionsOf(ProcessingOptions)],
    machine: Annotated[Asked, OptionsOf(Settings, only=("device", "data_dir"))],
    job: Annotated[
        bool, Option("--job", help="Process them in one job, with these options.")
    ] = False,
    manifest: Annotated[
        Path | None, Option(help="Write what became of each track to this file, a list as JSON.")
    ] = None,
    processes: Annotated[
        int,
        Option(min=1, help="Number of files to analyse in parallel.", show_default="one per core"),
    ] = N_CORES,
    json: Annotated[bool, Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fetch SOURCES into the library, or into a job; what the library has is not fetched again.

    Only fetch what you have the right to copy. Exit code 3: some tracks failed; run it again, and
    it goes on with these.
    """
    if asked and not job:
        raise typer.BadParameter(f"--{next(iter(asked))} is an option of a job: add --job.")
    installation = settings().model_copy(update=machine)
    tracks = [track for source in sources for track in _read_source(source)]
    log_here(installation, as_json=json)
    library = _open_library(installation)
    store = JobStore(installation.storage())
    if job:
        _process(installation, library, store, tracks, asked, manifest, as_json=json)
    else:
        _add(installation, library, store, tracks, processes)
        _finish(tracks, manifest, as_json=json)


def _read_source(source: str) -> list[IngestedTrack]:
    """Return the tracks of an argument; paths in lists are made absolute where files are there."""
    from core.library.intake.listing import find_listed
    from core.sources.lists.engine import ENGINE_SUFFIX, engine_folder, read_engine
    from core.sources.lists.format import is_link
    from core.sources.lists.reading import LIST_SUFFIXES, MAX_TRACKS, read_list

    if is_link(source):
        return [IngestedTrack(url=source)]
    path = Path(source)
    suffix = path.suffix.lower()
    if suffix == ENGINE_SUFFIX:
        folder, listed = engine_folder(path), read_engine(path, MAX_TRACKS)
    elif suffix in LIST_SUFFIXES:
        folder, listed = path.parent, read_list(path.name, _read_bytes(path))
    else:
        return [IngestedTrack(file=str(path.resolve()))]
    tracks = [IngestedTrack(**track.model_dump()) for track in listed]
    for track in tracks:
        if track.file and (found := find_listed(track.file, folder)):
            track.file = str(found.resolve())
    return tracks


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidList(f"{path} cannot be read: {error.strerror}.") from error


def _open_library(installation: Settings) -> "Library":
    from core.library.library import Library

    return Library(installation.storage(), installation.resolved_database_url())


@contextmanager
def _collector(
    installation: Settings, library: "Library", store: JobStore, mark: str
) -> "Iterator[Collector]":
    from core.audio.reading.prober import Prober
    from core.sources.collecting import Collector
    from core.sources.links import Links

    limits, max_duration_s = installation.probe_limits(), installation.max_duration_s
    with (
        closing(Links(installation.source_settings())) as links,
        closing(Prober(1, limits, max_duration_s=max_duration_s)) as prober,
    ):
        collector = Collector(
            library,
            store,
            links,
            lambda path, upload: prober.probe(path, upload.name),
            mark=mark,
            folder=_ANYWHERE,
        )
        collector.remove_abandoned()
        yield collector


def _add(
    installation: Settings,
    library: "Library",
    store: JobStore,
    tracks: list[IngestedTrack],
    processes: int,
) -> None:
    from core.analysis.store import FactStore
    from core.artifacts.upload_store import library_mark
    from core.sources.ingesting import add, collect

    facts = FactStore(installation.data_dir, installation.cache_max_bytes)
    mark = library_mark(library.owner)
    with _collector(installation, library, store, mark) as collector, file_progress() as progress:
        shown_at = 0.0

        def told() -> None:
            nonlocal shown_at
            if time.monotonic() - shown_at > _SHOW_EVERY_S:  # counting takes time
                shown_at = time.monotonic()
                n_done = sum(track.outcome != TrackOutcome.WAITING for track in tracks)
                progress(n_done, len(tracks), "")

        for batch in collect(tracks, collector, told):
            add(library, batch, facts=facts, n_processes=processes, told=told)


def _process(
    installation: Settings,
    library: "Library",
    store: JobStore,
    tracks: list[IngestedTrack],
    asked: Asked,
    manifest: Path | None,
    *,
    as_json: bool,
) -> NoReturn:
    from core.library.intake.uploads import send_recording
    from core.sources.ingesting import collect

    options = checked_options(installation, asked)
    job_id = new_job_id()
    found: list[Found] = []
    with _collector(installation, library, store, job_id) as collector:
        for batch in collect(tracks, collector, lambda: None):
            found += batch
    uploads = [
        send_recording(store, library.record(track.track_id), job_id, sys.maxsize)
        for track in tracks
        if track.outcome == TrackOutcome.KNOWN and track.track_id
    ]
    for item in found:
        if item.track.track_id is None:
            uploads += take_files(store, [item.path], job_id)
        elif (upload := store.share_upload(item.track.track_id, item.name, job_id)) is not None:
            uploads.append(upload)
        item.track.outcome = TrackOutcome.FETCHED
    _write(tracks, manifest)
    _list_failures(tracks)
    if not uploads:
        raise SourceNotFound("Nothing was found that could be processed.")
    run_job(installation, store, uploads, options, job_id, as_json=as_json)


def _finish(tracks: list[IngestedTrack], manifest: Path | None, *, as_json: bool) -> NoReturn:
    """Print what became of the tracks, and exit."""
    _write(tracks, manifest)
    _list_failures(tracks)
    counts = {outcome: sum(t.outcome == outcome for t in tracks) for outcome in TrackOutcome}
    if as_json:
        print_json(IngestManifest(tracks=tracks).model_dump(mode="json", exclude_none=True))
    else:
        out.print(
            f"{counts[TrackOutcome.ADDED]} added, {counts[TrackOutcome.KNOWN]} known, "
            f"{counts[TrackOutcome.FAILED]} failed."
        )
    n_failed = counts[TrackOutcome.FAILED]
    if not n_failed:
        sys.exit(EXIT_DONE)
    sys.exit(EXIT_FAILED if n_failed == len(tracks) else EXIT_IN_PART)


def _write(tracks: list[IngestedTrack], manifest: Path | None) -> None:
    if manifest is not None:
        text = IngestManifest(tracks=tracks).model_dump_json(indent=1, exclude_none=True)
        write_atomically(manifest, text.encode())


def _list_failures(tracks: list[IngestedTrack]) -> None:
    for track in tracks:
        if track.error is not None:
            text = f"failed: {track.label}: {track.error.message} {track.error.hint}"
            err.print(text, soft_wrap=True)
