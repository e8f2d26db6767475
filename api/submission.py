"""From what a request sent to a job in the queue: options read, model checked, files probed."""

from api.deps import Services
from api.problems import FilesRefused
from api.uploads import Intake
from core.artifacts.manifest import ProcessingManifest
from core.audio.decode import probe
from core.errors import InvalidAudio, InvalidOption
from core.pipeline.options import parse_options
from core.pipeline.separating import plan_separation


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
    plan_separation(options, services.settings.model_dir)
    check_files(services, intake)
    return services.jobs.submit(intake.uploads, options, intake.job_id)


def check_files(services: Services, intake: Intake) -> None:
    """Look into every file. Raises `FilesRefused`, which lists all that cannot be used."""
    refusals: list[tuple[str, InvalidAudio]] = []
    for upload in intake.uploads:
        try:
            probe(
                services.store.upload_path(upload.sha256),
                name=upload.name,
                max_duration_s=services.settings.max_duration_s,
            )
        except InvalidAudio as error:
            refusals.append((upload.name, error))
    if refusals:
        raise FilesRefused(refusals)
