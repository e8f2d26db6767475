"""What the library and jobs know of the same track."""

from stemcrate.client import ApiError
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.jobs import Job, JobTrack
from stemcrate.schemas.library import TrackDetails
from ui.connection import Workbench


def last_job_of(client: Workbench, track: TrackDetails) -> tuple[Job, JobTrack] | None:
    """Return the last job that processed a track, with its track there; None if none did.

    Raises `ClientError`.
    """
    if not track.jobs:
        return None
    job = client.get_job(track.jobs[-1])
    return job, next(one for one in job.tracks if one.id == track.id)


def cover_link(client: Workbench, track: TrackDetails | None) -> str | None:
    """Return where the browser finds a small cover of a track; None if it has none."""
    if track is None or track.thumbnail_url is None:
        return None
    return client.link(track.thumbnail_url)


def read_facts(
    client: Workbench, track_id: str, found: JobFacts
) -> tuple[JobFacts, TrackDetails | None]:
    """Return facts of a job's track with their corrections, and the track in the library.

    A track that is not there has the facts that the job ``found``. Raises `ClientError`.
    """
    try:
        track = client.get_track(track_id)
    except ApiError as error:
        if error.code != "track_not_found":
            raise
        return found, None
    known = track.facts.model_dump(exclude_unset=True)
    return JobFacts.model_validate(found.model_dump(exclude_unset=True) | known), track
