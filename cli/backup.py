"""stemcrate backup, stemcrate restore: database and files of an installation together."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from cli.option_model import Asked, OptionsOf, with_options
from cli.output import err, out, print_json
from config import Settings, settings
from core.artifacts.store import JobStore

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Machine = Annotated[Asked, OptionsOf(Settings, only=("data_dir",))]


@with_options
def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; a folder of its own.", file_okay=False)],
    machine: Machine,
    json: Json = False,
) -> None:
    """Copy database, jobs, uploads and library to FOLDER, while everything may run on.

    Repeated into the same folder, only what has changed is copied.
    """
    from core.jobs.backup import back_up  # imported late: no other command needs the engine

    installation = settings().model_copy(update=machine)
    store = JobStore(installation.storage())
    with Progress(console=err) as bar:
        task = bar.add_task("copying", total=1.0)
        note = back_up(
            store,
            installation.resolved_database_url(),
            folder,
            progress=lambda done: bar.update(task, completed=done),
        )
    if json:
        print_json(note.model_dump(mode="json"))
    else:
        counts = f"jobs: {note.n_jobs}, files: {note.n_files}, bytes: {note.n_bytes:,}"
        out.print(f"Copied to {folder}; {counts}")


@with_options
def restore(
    folder: Annotated[Path, typer.Argument(help="A backup.", exists=True, file_okay=False)],
    machine: Machine,
    json: Json = False,
) -> None:
    """Copy a backup from FOLDER to an empty DATA_DIR and an empty database, before anything runs.

    Jobs that ran when it was made go on with the next worker.
    """
    from core.jobs.backup import restore as restore_backup  # imported late, as above

    installation = settings().model_copy(update=machine)
    note = restore_backup(folder, installation.storage(), installation.resolved_database_url())
    if json:
        print_json(note.model_dump(mode="json"))
    else:
        out.print(
            f"Restored the backup of {note.created_at:%Y-%m-%d %H:%M} UTC; jobs: {note.n_jobs}"
        )
