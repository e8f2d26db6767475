"""stemcrate process: run a job here, in this process, to its end."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from config import settings
from core.artifacts.store import CHUNK_BYTES, JobStore, new_job_id
from core.artifacts.uploads import Upload
from core.errors import InvalidOption, StorageFull
from core.export.pack import write_pack
from core.pipeline.contents import pack_entries
from core.pipeline.options import parse_options
from core.system.logs import configure_logging
from stemcrate.schemas.manifest import JobState, ProcessingManifest, StageState

if TYPE_CHECKING:
    from core.pipeline.pipeline import AudioPipeline

Option = typer.Option

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def process(
    files: Annotated[list[Path], typer.Argument(help="Audio files.", exists=True, dir_okay=False)],
    model: Annotated[
        str | None, Option(help="Separator model, or an ensemble: 'htdemucs_ft+mdx_extra'.")
    ] = None,
    preset: Annotated[str | None, Option(help="fast, balanced or best.")] = None,
    stems: Annotated[
        str | None, Option(help="The stems that are wanted, separated by commas; all by default.")
    ] = None,
    shifts: Annotated[int | None, Option(help="Passes at different offsets, averaged.")] = None,
    augment: Annotated[
        bool | None, Option(help="Average passes with channels swapped and polarity inverted.")
    ] = None,
    wiener: Annotated[bool | None, Option(help="Refine the stems by a Wiener filter.")] = None,
    ensemble: Annotated[
        str | None, Option(help="average, min_spectrum or max_spectrum, for model a+b.")
    ] = None,
    ensemble_weights: Annotated[
        str | None, Option(help="Weights of the models in their average, as 2,1.")
    ] = None,
    residual: Annotated[str | None, Option(help="fold, keep or off.")] = None,
    stages: Annotated[str | None, Option(help="Optional stages, separated by commas.")] = None,
    format: Annotated[str | None, Option(help="wav, flac, mp3, m4a, alac or opus.")] = None,
    bit_depth: Annotated[str | None, Option(help="auto, 16, 24 or 32f.")] = None,
    name_template: Annotated[
        str | None, Option(help="File names, such as '{artist} - {title} [{stem}]'.")
    ] = None,
    normalization: Annotated[str | None, Option(help="common, per_track or off.")] = None,
    target_lufs: Annotated[float | None, Option(help="Target integrated loudness.")] = None,
    true_peak_ceiling_dbtp: Annotated[float | None, Option(help="True-peak ceiling.")] = None,
    clipping: Annotated[str | None, Option(help="rescale, none or clamp.")] = None,
    hpss_kernel_size: Annotated[int | None, Option(help="Median filters of HPSS.")] = None,
    hpss_margin_harmonic: Annotated[float | None, Option(help="1 or more.")] = None,
    hpss_margin_percussive: Annotated[float | None, Option(help="1 or more.")] = None,
    recipes: Annotated[str | None, Option(help="Composite tracks, separated by commas.")] = None,
    custom_recipes: Annotated[
        str | None, Option(help="Your own: 'name=stem+stem;name=stem'.")
    ] = None,
    tempo_min_bpm: Annotated[float | None, Option(help="Least tempo.")] = None,
    tempo_max_bpm: Annotated[float | None, Option(help="Greatest tempo.")] = None,
    playlist_name: Annotated[str | None, Option(help="Name of the playlist.")] = None,
    device: Annotated[str | None, Option(help="auto, cpu, cuda or mps.")] = None,
    data_dir: Annotated[Path | None, Option(help="Folder for all results.")] = None,
    json: Annotated[bool, Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Separate FILES, analyse them, order them into a playlist, and pack it all into one ZIP."""
    given = {name: value for name, value in locals().items() if value is not None}
    asked = {k: v for k, v in given.items() if k not in ("files", "device", "data_dir", "json")}
    own: dict[str, Any] = {k: given[k] for k in ("device", "data_dir") if k in given}
    # Here, and not above: no other command waits for SciPy and the stages.
    from core.jobs.library_sync import LibrarySync
    from core.pipeline.order import build_pipeline
    from core.pipeline.separating import plan_separation
    from core.separation.device import resolve_device

    installation = settings().model_copy(update=own)
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
    # Before the results, which are the last that is said.
    LibrarySync(store, installation.resolved_database_url()).look()
    if json:
        print_json(describe_job(store, manifest, zip_path))
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

        def run_stage(job_id: str, stage_name: str, track_index: int | None) -> StageState:
            nonlocal done
            track = "" if track_index is None else f"{manifest.tracks[track_index].source.name}: "
            bar.update(task, description=f"{track}{stage_name}")
            state = pipeline.run_stage(
                job_id,
                stage_name,
                track_index,
                progress=lambda part: bar.update(task, completed=done + part * costs[stage_name]),
                cancelled=cancelled.is_set,
            )
            done += costs[stage_name]
            bar.update(task, completed=done)
            return state

        return pipeline.run(job_id, run_stage)


def describe_job(
    store: JobStore, manifest: ProcessingManifest, zip_path: Path | None
) -> dict[str, Any]:
    """Tell a job as ``process --json`` does."""
    folder = store.job_folder(manifest.job_id).resolve()
    return {
        "job_id": manifest.job_id,
        "state": manifest.state,
        "manifest": str(folder / "manifest.json"),
        "outputs_dir": str(folder),
        "zip": None if zip_path is None else str(zip_path),
        "tracks": [
            {
                "name": track.source.name,
                "state": track.state,
                "artefacts": [
                    {"name": a.name, "path": str(folder / a.name), "stage": a.stage}
                    for a in track.artefacts
                ],
                "analysis": track.analysis,
                "error": track.error and track.error.model_dump(),
            }
            for track in manifest.tracks
        ],
        "warnings": [warning.model_dump() for warning in manifest.all_warnings()],
        "error": manifest.error and manifest.error.model_dump(),
    }


def _ingest(store: JobStore, files: list[Path], job_id: str) -> list[Upload]:
    """Copy the files into the store; all of them or none."""
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
    """Write the ZIP; where the disk has no room for it, the files themselves are there still."""
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
    return EXIT_IN_PART if any(track.error for track in manifest.tracks) else EXIT_DONE


@contextmanager
def _cancel_on_interrupt() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C or SIGTERM sets; the same again ends the program at once."""
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
