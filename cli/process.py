"""stemcrate process: run a job here, in this process, to its end."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli.option_model import Asked, OptionsOf, with_options
from cli.running import log_here, report, run_to_end
from config import Settings, settings
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import CHUNK_BYTES, JobStore
from core.artifacts.uploads import Upload
from core.pipeline.composites import check_composites
from core.pipeline.options import parse_options
from stemcrate.schemas.options import ProcessingOptions


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
    installation = settings().model_copy(update=machine)
    options = checked_options(installation, asked)
    log_here(installation, as_json=json)
    store, job_id = JobStore(installation.storage()), new_job_id()
    uploads = take_files(store, files, job_id)
    run_job(installation, store, uploads, options, job_id, as_json=json)


def checked_options(installation: Settings, asked: Asked) -> ProcessingOptions:
    """Return the options of a job, with all that can be known before it checked.

    Raises `InvalidOption`, `ModelUnavailable`, `DeviceUnavailable`.
    """
    # Imported late: no other command waits for SciPy and the stages.
    from core.pipeline.separating import plan_separation
    from core.separation.device import resolve_device

    defaults = installation.default_options()
    options = parse_options(asked, defaults)
    if options.separates:
        plan = plan_separation(options, installation.model_dir)
        check_composites(options, defaults, plan.made)
        resolve_device(installation.device)
    return options


def run_job(
    installation: Settings,
    store: JobStore,
    uploads: list[Upload],
    options: ProcessingOptions,
    job_id: str,
    *,
    as_json: bool,
) -> NoReturn:
    """Run a job for uploads to its end, report it, and exit with its code."""
    from core.pipeline.order import build_pipeline

    pipeline = build_pipeline(store, installation.runtime())
    with store.hold(job_id):
        pipeline.create_job(uploads, options, job_id=job_id)
        run_to_end(pipeline, job_id)
    report(store, installation.resolved_database_url(), job_id, as_json=as_json)


def take_files(store: JobStore, files: list[Path], job_id: str) -> list[Upload]:
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
