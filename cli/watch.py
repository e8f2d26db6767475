"""stemcrate watch: a worker that turns the files of folders into jobs."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.option_model import Asked, OptionsOf, with_options
from cli.output import err
from cli.process import checked_options
from cli.serve import worker_options
from config import Settings, settings
from stemcrate.schemas.options import ProcessingOptions


@with_options
def watch(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Folders, with all below them.", exists=True, file_okay=False),
    ],
    asked: Annotated[Asked, OptionsOf(ProcessingOptions)],
    machine: Annotated[Asked, OptionsOf(Settings, only=("device", "data_dir"))],
    results: Annotated[
        Path | None, typer.Option(help="Folder for the results, besides the data folder.")
    ] = None,
) -> None:
    """Turn each audio file in FOLDERS that has stopped growing into a job, until it is stopped.

    No recording becomes a job twice, under whatever name, now or after a restart. Beside a running
    installation on the same data folder, this is one more worker.
    """
    # Imported late: no other command needs DBOS.
    from core.jobs.watcher import WatchOptions
    from core.jobs.worker import run_worker

    installation = settings().model_copy(update=machine)
    watched = WatchOptions(
        folders=tuple(folder.resolve() for folder in folders),
        options=checked_options(installation, asked),
        results=None if results is None else results.resolve(),
        max_bytes=sys.maxsize,
        min_free_bytes=installation.min_free_bytes,
    )
    err.print(f"Watching {', '.join(map(str, folders))}   (Ctrl-C stops)")
    # Metrics are those of the installation's own workers.
    run_worker(replace(worker_options(installation), watch=watched, metrics_port=0))
