"""stemcrate process: run a job here, in this process, to its end."""

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.option_model import Asked, OptionsOf, with_options
from cli.output import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_IN_PART,
    err,
    fail,
    print_json,
    print_summary,
)
from config import Settings, settings
from core.artifacts.store import CHUNK_BYTES, JobStore, new_job_id
from core.artifacts.uploads import Upload
from core.errors import InvalidOption, StorageFull
from core.export.pack import write_pack
from core.pipeline.contents import pack_entries
from core.pipeline.options import parse_options
from core.system.logs import configure_logging
from stemcrate.schemas.jobs import LocalFile, LocalJob, LocalTrack
from stemcrate.schemas.manifest import Artefact, JobState, ProcessingManifest, StageState
from stemcrate.schemas.options import ProcessingOptions

if TYPE_CHECKING:
    from core.pipeline.pipeline import AudioPipeline
    from core.pipeline.stage import StageRef

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@with_options
def process(
    files: Annotated[list[Path], typer.Argument(help="Audio files.", exists=True, dir_okay=False)],
    asked: Annotated[Asked, OptionsOf(ProcessingOptions)],
    machine: Annotated[Asked, OptionsOf(Settings, only=("device", "data_dir"))],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Separate FILES, analyse them, order them into a playlist, and pack it all into one ZIP.

    Settings (the environment, `.env`) may change the defaults.
    """
    # Imported late: no other command waits for SciPy and the stages.
    from core.jobs.library_sync import LibrarySync
    from core.pipeline.order import build_pipeline
    from core.pipeline.separating import plan_separation
    from core.separation.device import resolve_device

    installation = settings().model_copy(update=machine)
    options = parse_options(asked, installation.default_options())
    if options.separates:
        plan_separation(options, installation.model_dir)
        resolve_device(installation.device)
    try:
        configure_logging(installation.log_level, installation.data_dir, "cli", console=not json)
    except OSError as error:
        raise InvalidOption(
            f"The data folder {installation.data_dir} cannot be written to: {error.strerror}.",
            hint="Name another by DATA_DIR or --data-dir.",
            field="data_dir",
        ) from error
    store = JobStore(installation.data_dir)
    pipeline = build_pipeline(store, installation.runtime())
    job_id = new_job_id()
    with store.hold(job_id):
        pipeline.create_job(_ingest(store, files, job_id), options, job_id=job_id)
        run_to_end(pipeline, job_id)
    manifest = store.load(job_id)
    zip_path, pack_error = _pack(store, manifest)
    # Before the results, which come last.
    LibrarySync(store, installation.resolved_database_url()).look()
    if json:
        print_json(describe_job(store, manifest, zip_path).model_dump(mode="json"))
    else:
        print_summary(manifest)
        if zip_path is not None:
            typer.echo(f"ZIP: {zip_path}")
    if pack_error is not None:
        fail(pack_error)
    sys.exit(_exit_code(manifest) or (EXIT_IN_PART if pack_error else EXIT_DONE))


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
        return [LocalFile(**a.model_dump(), path=str(folder / a.name)) for a in artefacts]

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


def _ingest(store: JobStore, files: list[Path], job_id: str) -> list[Upload]:
    """Copy the files to the store, all or none."""
    uploads: list[Upload] = []
    try:
        for path in files:
            with path.open("rb") as file, store.open_upload(path.name, sys.maxsize) as upload:
                while chunk := file.read(CHUNK_BYTES):
                    upload.write(chunk)
                uploads.append(upload.commit(job_id))
    except BaseException:
        for taken in uploads:
            store.release_upload(taken.sha256, job_id)
        raise
    return uploads


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
