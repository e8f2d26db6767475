"""Errors as `application/problem+json` (RFC 9457). The only module with HTTP status codes of
errors.

Errors of `core.errors` and all others (unknown paths, wrong methods, malformed requests, defects)
have the same shape, so clients parse one kind of error; `api.problem_handlers` catches them.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.rate_limits import rate_limit_headers
from core import errors
from stemcrate.schemas.problem import MEDIA_TYPE, Problem
from stemcrate.schemas.uploads import TUS_VERSION

logger = logging.getLogger(__name__)

RETRY_AFTER_S = "5"
"""When to ask again what is not available now."""

CHALLENGE = 'Bearer realm="stemcrate"'
"""How a request identifies itself (RFC 6750, 3)."""

CHECKSUM_MISMATCH = 460
"""Of the checksum extension of tus; no HTTP standard has it."""

STATUS_OF: dict[type[errors.StemcrateError], int] = {
    errors.StemcrateError: 500,
    errors.InvalidAudio: 422,
    errors.UploadTooLarge: 413,
    errors.UploadNotFound: 404,
    errors.UploadIncomplete: 409,
    errors.UploadOffsetMismatch: 409,
    errors.UploadBusy: 423,
    errors.ChecksumMismatch: CHECKSUM_MISMATCH,
    errors.InvalidOption: 422,
    errors.SourceNotFound: 422,
    errors.SourceUnavailable: 502,
    errors.ModelUnavailable: 409,
    errors.PluginFailed: 500,
    errors.UnsafeWeights: 500,
    errors.DeviceUnavailable: 503,
    errors.JobNotFound: 404,
    errors.ArtefactNotFound: 404,
    errors.TrackNotFound: 404,
    errors.PlaylistNotFound: 404,
    errors.CollectionNotFound: 404,
    errors.FolderNotFound: 404,
    errors.ImportNotFound: 404,
    errors.IngestNotFound: 404,
    errors.EnrichmentNotFound: 404,
    errors.DeckNotFound: 404,
    errors.DeckUnavailable: 502,
    errors.TransferNotFound: 404,
    errors.TransferFailed: 502,
    errors.TrackChanged: 412,
    errors.PlaylistChanged: 412,
    errors.GridLocked: 409,
    errors.BatchNotFound: 404,
    errors.WebhookNotFound: 404,
    errors.DeliveryNotFound: 404,
    errors.RenderNotFound: 404,
    errors.FetchNotFound: 404,
    errors.KeyRequired: 401,
    errors.ScopeMissing: 403,
    errors.KeyNotFound: 404,
    errors.QuotaExceeded: 429,
    errors.JobNotFinished: 409,
    errors.JobNotRetryable: 409,
    errors.RenderNotFinished: 409,
    errors.BeatGridMissing: 409,
    errors.IdempotencyKeyInUse: 409,
    errors.IdempotencyKeyReused: 422,
    errors.JobCancelled: 409,
    errors.StageFailed: 500,
    errors.WorkerLost: 503,
    errors.DatabaseUnavailable: 503,
    errors.StorageUnavailable: 503,
    errors.ServerBusy: 503,
    errors.ScannerUnavailable: 503,
    errors.StorageFull: 507,
}
"""Unlisted classes inherit their parent's status."""

CODE_OF = {
    400: "bad_request",
    403: "forbidden_origin",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    412: "unsupported_tus_version",
    413: "body_too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    421: "unknown_host",
    422: "invalid_request",
    500: "internal_error",
    503: errors.ServerBusy.code,
}
"""Codes of what goes wrong before Stemcrate itself is asked."""


class FilesRefused(Exception):
    """Uploaded files are unusable; the problem lists each by name."""

    def __init__(self, refusals: Sequence[tuple[str, errors.StemcrateError]]) -> None:
        super().__init__(f"{len(refusals)} files refused")
        self.refusals = tuple(refusals)


def status_of(cls: type[errors.StemcrateError]) -> int:
    """Return the HTTP status of an error class, or of its nearest listed ancestor."""
    return next(STATUS_OF[base] for base in cls.__mro__ if base in STATUS_OF)


def bad_request(detail: str) -> HTTPException:
    """Return the error for a malformed body."""
    return HTTPException(400, detail)


def body_too_large(limit: int) -> HTTPException:
    """Return the error for a JSON body beyond the limit."""
    return HTTPException(413, f"A body of JSON has at most {limit} bytes")


def body_stalled(path: str) -> JSONResponse:
    """Return the response to a request whose body stopped arriving."""
    problem = Problem.of(
        408,
        CODE_OF[408],
        "The body of the request did not arrive in time.",
        path,
        hint="Send it again over a faster connection.",
        retryable=True,
    )
    return respond(problem, {"Connection": "close"})


def too_many_bodies(limit: int, path: str) -> JSONResponse:
    """Return the response to a request with a body while ``limit`` others are being received."""
    problem = Problem.of(
        503,
        CODE_OF[503],
        f"{limit} other requests are being received.",
        path,
        hint="Send this one again later.",
        retryable=True,
    )
    return respond(problem, {"Retry-After": RETRY_AFTER_S, "Connection": "close"})


def bad_idempotency_key(path: str) -> JSONResponse:
    """Return the response to a request whose `Idempotency-Key` is unusable."""
    detail = "Idempotency-Key has 1 to 255 characters of ASCII, without blanks."
    return respond(Problem.of(400, CODE_OF[400], detail, path, hint="Use a random UUID."))


def unsupported_media_type(detail: str) -> HTTPException:
    """Return the error for an unsupported media type."""
    return HTTPException(415, detail)


def forbidden_site() -> HTTPException:
    """Return the error for a request that a browser sends for another web site."""
    return HTTPException(403, "The request comes from a page of another web site")


def forbidden_origin(origin: str) -> HTTPException:
    """Return the error for a request from a foreign origin."""
    return HTTPException(403, f"The origin {origin[:200]!r} is not listed in CORS_ORIGINS")


def unknown_host(host: str, path: str) -> JSONResponse:
    """Return the response to a request for an unknown host name."""
    problem = Problem.of(
        421,
        CODE_OF[421],
        f"This server does not answer to the name {host[:200]!r}.",
        path,
        hint="Use the address that it listens on, or list the name in ALLOWED_HOSTS.",
    )
    return respond(problem)


def unsupported_tus_version(version: str, path: str) -> JSONResponse:
    """Return the response to a request in another version of the upload protocol."""
    problem = Problem.of(
        412,
        CODE_OF[412],
        f"The header Tus-Resumable is {version[:40]!r}.",
        path,
        hint=f"Uploads speak tus {TUS_VERSION}.",
    )
    return respond(problem, {"Tus-Version": TUS_VERSION})


def unexpected(path: str) -> JSONResponse:
    """Return the response to a defect, without details of the exception."""
    problem = Problem.of(
        500,
        CODE_OF[500],
        "The server hit an error that it did not expect.",
        path,
        hint="The server's log has it under the X-Request-ID of this answer.",
    )
    return respond(problem)


def problem_responses(*causes: type[errors.StemcrateError]) -> dict[int | str, dict[str, Any]]:
    """Describe the problems of a route for OpenAPI; a status may stand for several codes."""
    by_status: dict[int, list[str]] = {}
    for cause in causes:
        by_status.setdefault(status_of(cause), []).append(cause.code)
    return {
        status: {
            "description": f"{_phrase(status)}: " + ", ".join(f"`{c}`" for c in codes),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, codes in sorted(by_status.items())
    }


def _phrase(status: int) -> str:
    return "Checksum Mismatch" if status == CHECKSUM_MISMATCH else HTTPStatus(status).phrase


def problem_response(error: errors.StemcrateError, method: str, path: str) -> JSONResponse:
    """Return the response to a request that raised ``error``; log what is the server's fault."""
    status = status_of(type(error))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # What passes by itself is no defect: one line.
        cause = None if error.retryable else error
        logger.error("%s %s: %s", method, path, error, exc_info=cause)
    headers = {}
    if error.retryable and status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = RETRY_AFTER_S
    if isinstance(error, errors.KeyRequired):
        headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, errors.ScopeMissing):
        headers["WWW-Authenticate"] = f'{CHALLENGE}, error="insufficient_scope"'
    if isinstance(error, errors.QuotaExceeded):
        headers["Retry-After"] = str(error.retry_after_s)
        if error.left is not None:
            headers.update(rate_limit_headers(error.left))
    problem = Problem.of(
        status,
        error.code,
        error.message,
        path,
        hint=error.hint,
        field=error.field,
        retryable=error.retryable,
    )
    return respond(problem, headers)


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return a problem as a response."""
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )
