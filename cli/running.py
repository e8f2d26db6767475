"""Runs a job in this process, and reports how it ended."""

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.output import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_IN_PART,
    err,
    fail,
    print_json,
    print_summary,
)
from config import Settings
from core.artifacts.store import JobStore
from core.errors import InvalidOption, StorageFull
from core.export.pack import write_pack
from core.pipeline.contents import pack_entries
from core.system.logs import configure_logging
from stemcrate.schemas.jobs import LocalFile, LocalJob, LocalTrack
from stemcrate.schemas.manifest import Artefact, JobState, ProcessingManifest, StageState

if TYPE_CHECKING:
    from core.pipeline.pipeline import AudioPipeline
    from core.pipeline.stage_ref import StageRef

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def log_here(installation: Settings, *, as_json: bool) -> None:
    """Write the log of a command that runs a job; with ``as_json``, to its file alone."""
    try:
        configure_logging(
            installation.log_level,
            installation.data_dir,
            "cli",
            console=not as_json,
            format=installation.log_format,
        )
    except OSError as error:
        raise InvalidOption(
            f"The data folder {installation.data_dir} cannot be written to: {error.strerror}.",
            hint="Name another by DATA_DIR or --data-dir.",
            field="data_dir",
        ) from error


def run_to_end(pipeline: "AudioPipeline", job_id: str) -> JobState:
    """Run a job with a progress bar on stderr; Ctrl-C and SIGTERM cancel it."""
    manifest = pipeline.store.load(job_id)
    costs = {stage.name: stage.cost for stage in pipeline.stages}
    total = sum(costs[record.name] for record in manifest.all_stages())
    done = 0.0
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
    )
    with _cancel_on_interrupt() as cancelled, Progress(*columns, console=err) as bar:
        task = bar.add_task("starting", total=total)

        def run_stage(ref: "StageRef") -> StageState:
            nonlocal done
            index, cost = ref.track_index, costs[ref.stage_name]
            track = "" if index is None else f"{manifest.tracks[index].source.name}: "
            bar.update(task, description=f"{track}{ref.stage_name}")
            state = pipeline.run_stage(
                ref,
                progress=lambda part: bar.update(task, completed=done + part * cost),
                cancelled=cancelled.is_set,
            )
            done += cost
            bar.update(task, completed=done)
            return state

        return pipeline.run(job_id, run_stage)


def describe_job(store: JobStore, manifest: ProcessingManifest, zip_path: Path | None) -> LocalJob:
    """Describe a job as ``process --json`` prints it."""
    folder = store.job_folder(manifest.job_id).resolve()

    def locate(artefacts: Iterable[Artefact]) -> list[LocalFile]:
        paths = ((a, store.artefact_path(manifest.job_id, a).resolve()) for a in artefacts)
        return [LocalFile(**a.model_dump(), path=str(path)) for a, path in paths]

    return LocalJob(
        job_id=manifest.job_id,
        state=manifest.state,
        manifest=str(folder / "manifest.json"),
        outputs_dir=str(folder),
        zip=None if zip_path is None else str(zip_path),
        tracks=[
            LocalTrack(
                name=track.source.name,
                state=track.state,
                artefacts=locate(track.artefacts),
                analysis=track.analysis,
                error=track.error,
            )
            for track in manifest.tracks
        ],
        n_failed_tracks=manifest.n_failed_tracks,
        artefacts=locate(manifest.artefacts),
        warnings=manifest.all_warnings(),
        error=manifest.error,
    )


def report(store: JobStore, database_url: str, job_id: str, *, as_json: bool) -> NoReturn:
    """Pack an ended job, add its tracks to the library, print it, and exit with its code."""
    from core.jobs.library_sync import LibrarySync
    from core.library.corrections.jobs import correct_manifest
    from core.library.corrections.record import CorrectionStore

    manifest = store.load(job_id)
    zip_path, pack_error = _pack(store, manifest)
    # Before the results, which come last.
    LibrarySync(store, database_url).look()
    shown = correct_manifest(manifest, CorrectionStore(store.storage).read)
    if as_json:
        print_json(describe_job(store, shown, zip_path).model_dump(mode="json"))
    else:
        print_summary(shown)
        if zip_path is not None:
            typer.echo(f"ZIP: {zip_path}")
    if pack_error is not None:
        fail(pack_error)
    sys.exit(_exit_code(manifest) or (EXIT_IN_PART if pack_error else EXIT_DONE))


def _pack(store: JobStore, manifest: ProcessingManifest) -> tuple[Path | None, StorageFull | None]:
    """Write the ZIP; if the disk is too full for it, the files themselves remain."""
    if manifest.state != JobState.COMPLETED:
        return None, None
    path = store.downloads.resolve() / f"{manifest.job_id}.zip"
    try:
        return write_pack(pack_entries(store, manifest), path), None
    except StorageFull as error:
        return None, error


def _exit_code(manifest: ProcessingManifest) -> int:
    if manifest.state != JobState.COMPLETED:
        return EXIT_FAILED
    return EXIT_IN_PART if manifest.n_failed_tracks else EXIT_DONE


@contextmanager
def _cancel_on_interrupt() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C or SIGTERM sets; a second signal ends the program at once."""
    cancelled = threading.Event()

    def interrupt(number: int, _frame: object) -> None:
        cancelled.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, interrupt) for number in _STOP_SIGNALS}
    try:
        yield cancelled
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
