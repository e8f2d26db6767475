"""The one way from the screen to the API: HTTP by requests, answers as `ui.answers`.

Nothing here knows Streamlit, and no other module of this room makes a request or builds a URL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

import requests

from ui.answers import Configuration, Job, JobPage, Manifest, Outputs, Waveforms
from ui.multipart import MultipartBody, NamedFile

__all__ = ["ApiError", "FileProblem", "NamedFile", "StemcrateClient"]

PAGE_LENGTH = 20
UPLOAD_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong with one of the files of a refused request."""

    name: str
    message: str
    hint: str


class ApiError(Exception):
    """What the API refused, or that it did not answer.

    ``code`` is the API's own word (`core/errors.py` draws the tree), or ``api_unreachable`` or
    ``unexpected_answer`` from here. ``files`` lists each upload at fault.
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        field: str | None = None,
        files: Sequence[FileProblem] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.field = field
        self.files = tuple(files)


class StemcrateClient:
    """Talks to one API.

    Parameters
    ----------
    base_url : where this process finds the API.
    public_url : where the user's browser finds it, for links; empty: ``base_url``.
    timeout_s : how long the API may stay silent before it counts as unreachable.
    """

    def __init__(self, base_url: str, *, public_url: str = "", timeout_s: float = 30.0) -> None:
        self._base_url = base_url.rstrip("/")
        self._public_url = (public_url or base_url).rstrip("/")
        self._timeout_s = timeout_s

    def link(self, path: str) -> str:
        """Give the address of a path of the API for the user's browser."""
        return self._public_url + path

    def manifest_link(self, job_id: str) -> str:
        """Give the address of a job's manifest for the user's browser."""
        return self.link(f"{_job_path(job_id)}/manifest")

    def config(self) -> Configuration:
        """Ask what the installation offers."""
        return cast(Configuration, self._ask("GET", "/config"))

    def submit(self, files: Sequence[NamedFile], options: Mapping[str, str]) -> str:
        """Submit a job; give its id. The files are sent as they are read."""
        body = MultipartBody(options, files)
        answer = self._ask(
            "POST",
            "/process",
            data=body,
            headers={"Content-Type": body.content_type},
            timeout=UPLOAD_TIMEOUT_S,
        )
        return str(answer["job_id"])

    def job(self, job_id: str) -> Job:
        """Ask where a job stands."""
        return cast(Job, self._ask("GET", _job_path(job_id)))

    def manifest(self, job_id: str) -> Manifest:
        """Ask for the record of a job."""
        return cast(Manifest, self._ask("GET", f"{_job_path(job_id)}/manifest"))

    def outputs(self, job_id: str) -> Outputs:
        """Ask what a job that has ended delivered."""
        return cast(Outputs, self._ask("GET", f"{_job_path(job_id)}/outputs"))

    def waveforms(self, path: str) -> Waveforms:
        """Fetch a track's waveform artefact, by the ``url`` of its artefact."""
        return cast(Waveforms, self._ask("GET", path))

    def jobs(self, cursor: str | None = None, *, limit: int = PAGE_LENGTH) -> JobPage:
        """Ask for a page of the history, newest first; ``cursor`` leads to older ones."""
        parameters = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        return cast(JobPage, self._ask("GET", "/jobs", params=parameters))

    def cancel(self, job_id: str) -> None:
        """Cancel a job; one that has ended stays as it is."""
        self._ask("POST", f"{_job_path(job_id)}/cancel")

    def delete(self, job_id: str) -> None:
        """Delete a job with its results."""
        self._ask("DELETE", _job_path(job_id))

    def _ask(self, method: str, path: str, *, timeout: float | None = None, **request: Any) -> Any:
        with requests.Session() as session:
            # The API is a service of this installation: no proxy and no .netrc stands between.
            session.trust_env = False
            try:
                answer = session.request(
                    method, self._base_url + path, timeout=timeout or self._timeout_s, **request
                )
            except requests.RequestException as error:
                raise self._unreachable(error) from error
        if not answer.ok:
            raise read_problem(answer)
        if answer.status_code == requests.codes.no_content:
            return None
        try:
            return answer.json()
        except ValueError as error:
            raise _unexpected(answer) from error

    def _unreachable(self, error: requests.RequestException) -> ApiError:
        if isinstance(error, requests.ReadTimeout):
            return ApiError(
                "api_unreachable",
                f"The API at {self._base_url} is there but did not answer in time.",
                "It may be busy with a large upload. Try again in a moment.",
            )
        return ApiError(
            "api_unreachable",
            f"The API at {self._base_url} is not reachable.",
            "Start everything with 'stemcrate serve', or set API_URL to where the API runs.",
        )


def read_problem(answer: requests.Response) -> ApiError:
    """Turn an `application/problem+json` answer into an `ApiError`."""
    try:
        problem = answer.json()
        code, message = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return _unexpected(answer)
    files = [
        FileProblem(str(item["file"]), str(item["detail"]), str(item.get("hint", "")))
        for item in problem.get("errors") or ()
        if item.get("file")
    ]
    return ApiError(
        code, message, str(problem.get("hint", "")), field=problem.get("field"), files=files
    )


def _unexpected(answer: requests.Response) -> ApiError:
    return ApiError(
        "unexpected_answer",
        f"The API gave an answer that the workbench does not understand ({answer.status_code}).",
        "Look at API_URL: it may lead to something else than Stemcrate's API.",
    )


def _job_path(job_id: str) -> str:
    return f"/job/{quote(job_id, safe='')}"
