"""stemcrate job: jobs of this machine."""

from typing import TYPE_CHECKING, Annotated

import typer
from filelock import Timeout

from cli.option_model import Asked, OptionsOf, with_options
from cli.running import log_here, report, run_to_end
from config import Settings, settings
from core.artifacts.store import JobStore
from core.errors import JobNotRetryable, WorkerLost
from core.pipeline.retrying import retry_job

if TYPE_CHECKING:
    from core.pipeline.pipeline import AudioPipeline

app = typer.Typer(help="Jobs of this machine.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `retry` a command of its own."""


@app.command()
@with_options
def retry(
    job_id: Annotated[str, typer.Argument(help="The id of a job that has ended.")],
    machine: Annotated[Asked, OptionsOf(Settings, only=("device", "data_dir"))],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Continue a failed, cancelled or killed job here; what is done is kept.

    Possible if the cause may pass: a process was killed, the disk was full, the database away.
    """
    # Imported late: no other command waits for SciPy, the stages, and SQLAlchemy.
    from core.library.intake.job_tracks import add_again
    from core.library.library import Library
    from core.pipeline.order import build_pipeline

    installation = settings().model_copy(update=machine)
    log_here(installation, as_json=json)
    store = JobStore(installation.data_dir)
    database_url = installation.resolved_database_url()
    store.load(job_id)  # no other text becomes the name of a lock
    pipeline = build_pipeline(store, installation.runtime())
    try:
        with store.hold(job_id):
            _close_if_killed(pipeline, database_url, job_id)
            retry_job(store, job_id)
            add_again(Library(installation.data_dir, database_url), job_id)
            run_to_end(pipeline, job_id)
    except Timeout as error:
        raise JobNotRetryable(f"Job '{job_id}' is running.", hint="Wait for its end.") from error
    report(store, database_url, job_id, as_json=json)


def _close_if_killed(pipeline: "AudioPipeline", database_url: str, job_id: str) -> None:
    """End a job of `stemcrate process` whose process was killed: the queue does not know it."""
    from core.jobs.database import prepare_database
    from core.jobs.queue import JobQueue
    from core.pipeline.outcome import failure_of

    manifest = pipeline.store.load(job_id)
    if manifest.state.is_final:
        return
    prepare_database(database_url)
    queue = JobQueue(database_url)
    try:
        if not queue.job_states({job_id: manifest.n_retries}):
            lost = WorkerLost("The process that ran this job was killed.")
            pipeline.close(job_id, failure_of(lost))
    finally:
        queue.close()
