"""From what a request sent to a job in the queue: options read, model checked, files probed."""

from collections.abc import Sequence

from api.deps import Services
from api.library_views import adding_view
from api.problems import FilesRefused
from api.uploads import Intake
from core.artifacts.uploads import Upload
from core.audio.reading.decode import probe
from core.errors import InvalidAudio, InvalidOption
from core.pipeline.options import parse_options
from core.pipeline.separating import plan_with
from stemcrate.schemas.library import Adding
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.options import NO_MODEL, OPTIONAL_STAGES, ProcessingOptions

ANALYSIS = ProcessingOptions(model=NO_MODEL, stages=OPTIONAL_STAGES)


def submit(services: Services, intake: Intake) -> ProcessingManifest:
    """Check everything that can be known now, then queue the job.

    Raises `InvalidOption`, `UnknownModel`, `UnsupportedFormat`, `ModelUnavailable`,
    `FilesRefused`, `StorageFull`.
    """
    options = parse_options(intake.options(), services.settings.default_options())
    if not intake.uploads:
        raise InvalidOption(
            "No file was sent.", hint="Send audio as multipart parts named 'file'.", field="file"
        )
    if options.separates:
        plan_with(options, services.inventory())
    check_files(services, intake)
    return services.jobs.submit(intake.uploads, options, intake.job_id)


def submit_to_library(services: Services, intake: Intake) -> Adding:
    """Queue a job that analyses the files for the library, if any is new and can be read.

    Raises `InvalidOption`, `StorageFull`.
    """
    if intake.options():
        raise InvalidOption(
            "The library takes files alone.",
            hint="POST /process takes options.",
            field=next(iter(intake.options())),
        )
    if not intake.uploads:
        raise InvalidOption(
            "No file was sent.", hint="Send audio as multipart parts named 'file'.", field="file"
        )
    uploads = {upload.sha256: upload for upload in intake.uploads}
    known = [s.id for s in services.library.summaries(list(uploads)) if not s.is_missing]
    refusals = find_refusals(services, [u for u in uploads.values() if u.sha256 not in known])
    refused = {upload.sha256 for upload, _ in refusals}
    taken = [u for u in uploads.values() if u.sha256 not in {*known, *refused}]
    for upload in uploads.values():
        if upload not in taken:
            services.store.release_upload(upload.sha256, intake.job_id)
    if taken:
        services.jobs.submit(taken, ANALYSIS, intake.job_id)
    return adding_view(
        intake.job_id if taken else None, known, [(u.name, error) for u, error in refusals]
    )


def check_files(services: Services, intake: Intake) -> None:
    """Look into every file. Raises `FilesRefused`, which lists all that cannot be used."""
    refusals = find_refusals(services, intake.uploads)
    if refusals:
        raise FilesRefused([(upload.name, error) for upload, error in refusals])


def find_refusals(
    services: Services, uploads: Sequence[Upload]
) -> list[tuple[Upload, InvalidAudio]]:
    """Look into files; give those that cannot be used, and why."""
    refusals: list[tuple[Upload, InvalidAudio]] = []
    for upload in uploads:
        try:
            probe(
                services.store.upload_path(upload.sha256),
                name=upload.name,
                max_duration_s=services.settings.max_duration_s,
            )
        except InvalidAudio as error:
            refusals.append((upload, error))
    return refusals
