"""Jobs: submit, follow, wait, cancel, retry, delete."""

import time
from collections.abc import Callable, Iterator, Sequence

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.client.errors import ApiUnreachable, UnexpectedAnswer
from stemcrate.client.events import Deadline, follow_events
from stemcrate.client.uploads import Options, Upload, UploadProgress, open_body
from stemcrate.schemas.events import JobEvent, JobStanding
from stemcrate.schemas.jobs import Job, JobPage, JobQuery, JobReceipt, Outputs
from stemcrate.schemas.manifest import ProcessingManifest

UPLOAD_TIMEOUT_S = 600.0
POLL_S = 2.0
JobProgress = Callable[[JobStanding], None]
"""Called with where a job stands, whenever that changed."""


class JobCalls(Calls):
    """Operations on jobs. Each raises `ApiError` ``job_not_found`` (404)."""

    def submit_job(
        self,
        files: Sequence[Upload] = (),
        options: Options | None = None,
        *,
        upload_ids: Sequence[str] = (),
        from_job: str | None = None,
        track_ids: Sequence[str] = (),
        webhook_id: str | None = None,
        idempotency_key: str | None = None,
        progress: UploadProgress | None = None,
    ) -> JobReceipt:
        """Submit a job and return its receipt; `wait` waits for its end.

        At least one file has to be given, in one of four ways.

        Parameters
        ----------
        files : paths or `NamedFile`. They are read while they are sent.
        options : as for `POST /process`, such as ``format`` or ``stages``; others are
            as in ``get_config().defaults``.
        upload_ids : complete uploads (`upload_file`); they are deleted once the job exists.
        from_job : id of a job whose files are processed again.
        track_ids : ids of tracks of the library whose files are processed.
        webhook_id : a webhook that is told the job's end.
        idempotency_key : makes one job of this call and its repetitions with the same key.
        progress : called with the bytes sent and the bytes of the whole request.

        Raises
        ------
        ApiError : 422 with `ApiError.files` or `ApiError.field`, 413 ``upload_too_large``, 409
            ``model_unavailable`` or ``upload_incomplete``, 404 ``upload_not_found``, 507
            ``storage_full``, …: the table in docs/api.md.
        OSError : a path cannot be read.
        """
        with open_body(
            files,
            options or {},
            progress,
            upload_ids=upload_ids,
            from_job=from_job,
            track_ids=track_ids,
            webhook_id=webhook_id,
        ) as body:
            if idempotency_key is not None:
                body["headers"]["Idempotency-Key"] = idempotency_key
            return self._api.read(
                "POST", "/process", JobReceipt, timeout_s=UPLOAD_TIMEOUT_S, **body
            )

    def list_jobs(self, query: JobQuery | None = None) -> JobPage:
        """Return a page of the matching jobs, or of all jobs without a query, newest first.

        Raises `ApiError` 422 ``invalid_option``.
        """
        asked = query.model_dump(mode="json", exclude_unset=True) if query else {}
        return self._api.read("GET", "/jobs", JobPage, query=asked)

    def get_job(self, job_id: str) -> Job:
        """Return a job's state and progress, with its single-valued facts."""
        return self._api.read("GET", path_of("job", job_id), Job)

    def get_manifest(self, job_id: str) -> ProcessingManifest:
        """Return the manifest of a job."""
        return self._api.read("GET", path_of("job", job_id, "manifest"), ProcessingManifest)

    def list_outputs(self, job_id: str) -> Outputs:
        """Return the outputs of a job.

        Raises `ApiError` ``job_not_finished`` (409) while it is queued or running.
        """
        return self._api.read("GET", path_of("job", job_id, "outputs"), Outputs)

    def stream_job_events(
        self, job_id: str, *, last_event_id: int | None = None
    ) -> Iterator[JobEvent]:
        """Yield a job's events as they happen, up to its final state.

        A cut stream resumes after the last event. To continue in another process, pass
        the ``id`` of the last event received; the iterator is empty if nothing came after it and
        the job has ended.

        Raises `ApiUnreachable` if the stream cannot be reconnected, and `UnexpectedAnswer`.
        """
        return follow_events(self._api, Deadline(job_id), last_event_id)

    def wait(
        self, job_id: str, *, progress: JobProgress | None = None, timeout_s: float | None = None
    ) -> Job:
        """Wait for the end of a job and return it, whether it completed, failed or was cancelled.

        Progress comes from the event stream, or, if a proxy does
        not pass it on, from polling every ``POLL_S`` seconds.

        Parameters
        ----------
        progress : called with the job's progress, the last time after its end.
        timeout_s : maximum seconds to wait; None: no limit.

        Raises
        ------
        WaitTimeout : the job has not ended after ``timeout_s``; it continues.
        """
        deadline = Deadline(job_id, None if timeout_s is None else time.monotonic() + timeout_s)
        report = progress or (lambda standing: None)
        try:
            for event in follow_events(self._api, deadline, None):
                if event.job:
                    report(event.job)
        except (ApiUnreachable, UnexpectedAnswer):
            pass  # polling may still work, and reports what is wrong if not
        while not (job := self.get_job(job_id)).state.is_final:
            report(_standing(job))
            time.sleep(deadline.left_s(POLL_S))
        report(_standing(job))
        return job

    def cancel_job(self, job_id: str) -> JobReceipt:
        """Cancel a job and return its state; an ended job is unchanged."""
        return self._api.read("POST", path_of("job", job_id, "cancel"), JobReceipt)

    def retry_job(self, job_id: str) -> JobReceipt:
        """Queue an ended job again and return its state; what is done is kept.

        Raises `ApiError` ``job_not_retryable`` (409) if the job has not ended, or if nothing of it
        would end otherwise (`Job.can_retry`).
        """
        return self._api.read("POST", path_of("job", job_id, "retry"), JobReceipt)

    def delete_job(self, job_id: str) -> None:
        """Delete a job with its results, and its uploads unless another job uses them."""
        self._api.tell("DELETE", path_of("job", job_id))


def _standing(job: Job) -> JobStanding:
    return JobStanding.model_validate(job, from_attributes=True)
