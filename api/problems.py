"""Errors as `application/problem+json` (RFC 9457). The only module with HTTP status codes of
errors.

One handler on the root of `core.errors` covers the tree; other errors (unknown paths, wrong
methods, malformed requests, defects) have the same shape, so clients parse one kind of error.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from core import errors
from stemcrate.schemas.problem import MEDIA_TYPE, Problem, ProblemItem
from stemcrate.schemas.uploads import TUS_VERSION

logger = logging.getLogger(__name__)

RETRY_AFTER_S = "5"
"""When to ask again what is not available now."""

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
    errors.TrackChanged: 412,
    errors.PlaylistChanged: 412,
    errors.GridLocked: 409,
    errors.RenderNotFound: 404,
    errors.FetchNotFound: 404,
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
    errors.ServerBusy: 503,
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
    return _respond(problem, {"Connection": "close"})


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
    return _respond(problem, {"Retry-After": RETRY_AFTER_S, "Connection": "close"})


def bad_idempotency_key(path: str) -> JSONResponse:
    """Return the response to a request whose `Idempotency-Key` is unusable."""
    detail = "Idempotency-Key has 1 to 255 characters of ASCII, without blanks."
    return _respond(Problem.of(400, CODE_OF[400], detail, path, hint="Use a random UUID."))


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
    return _respond(problem)


def unsupported_tus_version(version: str, path: str) -> JSONResponse:
    """Return the response to a request in another version of the upload protocol."""
    problem = Problem.of(
        412,
        CODE_OF[412],
        f"The header Tus-Resumable is {version[:40]!r}.",
        path,
        hint=f"Uploads speak tus {TUS_VERSION}.",
    )
    return _respond(problem, {"Tus-Version": TUS_VERSION})


def unexpected(path: str) -> JSONResponse:
    """Return the response to a defect, without details of the exception."""
    problem = Problem.of(
        500,
        CODE_OF[500],
        "The server hit an error that it did not expect.",
        path,
        hint="The server's log has it under the X-Request-ID of this answer.",
    )
    return _respond(problem)


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


def install_problem_handlers(app: FastAPI) -> None:
    """Install handlers that turn every error of ``app`` into a problem response."""
    app.add_exception_handler(errors.StemcrateError, _on_stemcrate_error)
    app.add_exception_handler(FilesRefused, _on_files_refused)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)


async def _on_stemcrate_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.StemcrateError)
    return problem_response(error, request.method, request.url.path)


def problem_response(error: errors.StemcrateError, method: str, path: str) -> JSONResponse:
    """Return the response to a request that raised ``error``; log what is the server's fault."""
    status = status_of(type(error))
    is_temporary = error.retryable and status == HTTPStatus.SERVICE_UNAVAILABLE
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # What passes by itself is no defect: one line.
        cause = None if error.retryable else error
        logger.error("%s %s: %s", method, path, error, exc_info=cause)
    return _respond(
        Problem.of(
            status,
            error.code,
            error.message,
            path,
            hint=error.hint,
            field=error.field,
            retryable=error.retryable,
        ),
        {"Retry-After": RETRY_AFTER_S} if is_temporary else None,
    )


async def _on_files_refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, FilesRefused)
    _, first = error.refusals[0]
    problem = Problem.of(
        status_of(type(first)),
        first.code,
        first.message,
        request.url.path,
        hint=first.hint,
        field="file",
    )
    problem.errors = [
        ProblemItem(code=e.code, detail=e.message, hint=e.hint, field="file", file=name)
        for name, e in error.refusals
    ]
    return _respond(problem)


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    items = [
        ProblemItem(code="invalid_request", detail=e["msg"], field=str(e["loc"][-1]))
        for e in error.errors()
    ]
    detail = "; ".join(f"{item.field}: {item.detail}" for item in items)
    problem = Problem.of(
        422, "invalid_request", detail, request.url.path, field=items[0].field if items else None
    )
    problem.errors = items
    return _respond(problem)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = error.status_code
    detail = f"{error.detail}."
    if error.detail == HTTPStatus(status).phrase:
        detail = f"{HTTPStatus(status).phrase}: {request.method} {request.url.path}."
    code = CODE_OF.get(status, "error")
    headers = {"Allow": _allowed(request)} if status == 405 else error.headers
    return _respond(Problem.of(status, code, detail, request.url.path), headers)


def _allowed(request: Request) -> str:
    """List the methods of a path over all routes; GET implies HEAD."""
    found = [
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    ]
    return ", ".join(["GET, HEAD" if method == "GET" else method for method in found])


async def _on_disconnect(request: Request, error: Exception) -> JSONResponse:
    logger.info("%s %s: the client left", request.method, request.url.path)
    return _respond(Problem.of(400, "bad_request", "The body ended early.", request.url.path))


def _respond(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )
