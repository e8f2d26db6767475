"""stemcrate job: jobs of this machine."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from filelock import Timeout

from cli.option_model import Asked, OptionsOf, with_options
from cli.output import EXIT_DONE, EXIT_FAILED, out, print_json
from cli.progress import file_progress
from cli.running import log_here, report, run_to_end
from config import Settings, settings
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload
from core.errors import JobNotFinished, JobNotRetryable, UploadNotFound, WorkerLost
from core.pipeline.retrying import retry_job
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.options import NO_MODEL, ProcessingOptions
from stemcrate.schemas.transfers import TransferRequest
from stemcrate.schemas.verification import Replay, Verification

if TYPE_CHECKING:
    from core.pipeline.pipeline import AudioPipeline

app = typer.Typer(help="Jobs of this machine.", no_args_is_help=True)


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
    store = JobStore(installation.storage())
    database_url = installation.resolved_database_url()
    store.load(job_id)  # no other text becomes the name of a lock
    pipeline = build_pipeline(store, installation.runtime())
    try:
        with store.hold(job_id):
            _close_if_killed(pipeline, database_url, job_id)
            retry_job(store, job_id)
            add_again(Library(installation.storage(), database_url), job_id)
            run_to_end(pipeline, job_id)
    except Timeout as error:
        raise JobNotRetryable(f"Job '{job_id}' is running.", hint="Wait for its end.") from error
    report(store, database_url, job_id, as_json=json)


@app.command()
@with_options
def verify(
    job_id: Annotated[str, typer.Argument(help="The id of a job that has ended.")],
    machine: Annotated[Asked, OptionsOf(Settings, only=("data_dir",))],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare a job's files with its manifest, and the sum of its stems with the recording.

    Exit code 1 if a file is missing or changed, or if the stems no longer sum.
    """
    # Imported late: no other command waits for the decoders.
    from core.pipeline.verifying import verify_job

    installation = settings().model_copy(update=machine)
    found = verify_job(JobStore(installation.storage()), job_id)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _print_verification(found)
    sys.exit(EXIT_DONE if found.is_intact else EXIT_FAILED)


def _print_verification(found: Verification) -> None:
    for name in found.missing:
        out.print(f"missing: {name}")
    for name in found.changed:
        out.print(f"changed: {name}")
    for check in found.sums:
        if check.difference is None or check.allowed is None:
            out.print(f"sum not checked ({check.name}): {check.reason}")
        else:
            verdict = "the stems do not sum" if check.is_broken else "the stems sum"
            sizes = f"off by {check.difference:.2g}, allowed {check.allowed:.2g}"
            out.print(f"{verdict} ({check.name}): {sizes}")
    verdict = "intact" if found.is_intact else "not intact"
    out.print(f"Job {found.job_id}: {verdict}; {found.n_files} files, {found.n_bytes:,} bytes")


@app.command()
@with_options
def transfer(
    job_id: Annotated[str, typer.Argument(help="The id of a job that has ended.")],
    to: Annotated[
        str,
        typer.Option(
            help="s3://bucket/prefix, gs://…, az://…, file:///folder, or https://… for WebDAV; "
            "credentials are those of the environment."
        ),
    ],
    machine: Annotated[Asked, OptionsOf(Settings, only=("data_dir",))],
    template: Annotated[
        str,
        typer.Option(help="Name of each file there. Fields: job_id artist title track name."),
    ] = TransferRequest.model_fields["template"].default,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Put all files of a job somewhere else, with an index of them beside.

    Each file is read back and compared; what is there already is not sent again.
    """
    # Imported late: no other command waits for the stores' client.
    from core.transfer.naming import check_template
    from core.transfer.targets import check_scheme
    from core.transfer.transferring import transfer_job

    installation = settings().model_copy(update=machine)
    check_template(template)
    store = JobStore(installation.storage())
    with file_progress() as show:
        note = transfer_job(
            store,
            job_id,
            check_scheme(to),
            template,
            lambda n_files, n_done, _: show(n_done, n_files, to),
        )
    if json:
        print_json(note.model_dump(mode="json"))
    else:
        out.print(f"{note.n_files} files, {note.n_bytes:,} bytes: {note.index_url}")


@app.command()
@with_options
def replay(
    job_id: Annotated[str, typer.Argument(help="The id of a job that has ended.")],
    machine: Annotated[Asked, OptionsOf(Settings, only=("device", "data_dir"))],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a job once more from its manifest, without any cache, and compare the files.

    If all are the same, the new job is deleted again. Exit code 1 if any differs: other versions,
    another device, and corrections by hand since then make a difference.
    """
    # Imported late: no other command waits for SciPy and the stages.
    from core.pipeline.order import build_pipeline
    from core.pipeline.verifying import compare_jobs

    installation = settings().model_copy(update={**machine, "cache_max_bytes": 0})
    log_here(installation, as_json=json)
    store = JobStore(installation.storage())
    before = store.load(job_id)
    if not before.state.is_final:
        raise JobNotFinished(f"Job '{job_id}' is {before.state}.", hint="Wait for its end.")
    replay_id = new_job_id()
    pipeline = build_pipeline(store, installation.runtime())
    with store.hold(replay_id):
        uploads = _share_uploads(store, before, replay_id)
        pipeline.create_job(uploads, _options_of(before), job_id=replay_id)
        run_to_end(pipeline, replay_id)
    found = compare_jobs(before, store.load(replay_id))
    if found.is_same:
        store.delete(replay_id)
        found.replay_id = None
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _print_replay(found)
    sys.exit(EXIT_DONE if found.is_same else EXIT_FAILED)


def _options_of(manifest: ProcessingManifest) -> ProcessingOptions:
    """Return a job's options, with the model that was chosen then."""
    options = manifest.options
    model = manifest.model.name or options.model if options.separates else NO_MODEL
    known = options.model_dump(include=set(ProcessingOptions.model_fields))
    return ProcessingOptions.model_validate({**known, "model": model})


def _share_uploads(store: JobStore, manifest: ProcessingManifest, job_id: str) -> list[Upload]:
    """Mark the files of a job as used by another, all or none. Raises `UploadNotFound`."""
    shared: list[Upload] = []
    for track in manifest.tracks:
        upload = store.share_upload(track.source.sha256, track.source.name, job_id)
        if upload is None:
            for taken in shared:
                store.release_upload(taken.sha256, job_id)
            raise UploadNotFound(
                f"The upload of '{track.source.name}' is gone.",
                hint="Process the file again: `stemcrate process`.",
            )
        shared.append(upload)
    return shared


def _print_replay(found: Replay) -> None:
    for kind in ("different", "missing", "added"):
        for name in getattr(found, kind):
            out.print(f"{kind}: {name}")
    for name, (before, after) in found.software.items():
        out.print(f"{name}: {before or 'none'} then, {after or 'none'} now")
    kept = "" if found.replay_id is None else f"; compare with job {found.replay_id}"
    verdict = "the same" if found.is_same else "not the same"
    out.print(f"Job {found.job_id}: {verdict}; {len(found.same)} equal files{kept}")


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
