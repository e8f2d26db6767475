"""Handlers that turn every error of the app into a problem; one on the root of `core.errors`."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from api.problems import CODE_OF, FilesRefused, problem_response, respond, status_of
from core import errors
from stemcrate.schemas.problem import Problem, ProblemItem

logger = logging.getLogger(__name__)


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
    return respond(problem)


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
    return respond(problem)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = error.status_code
    detail = f"{error.detail}."
    if error.detail == HTTPStatus(status).phrase:
        detail = f"{HTTPStatus(status).phrase}: {request.method} {request.url.path}."
    code = CODE_OF.get(status, "error")
    headers = {"Allow": _allowed(request)} if status == 405 else error.headers
    return respond(Problem.of(status, code, detail, request.url.path), headers)


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
    return respond(Problem.of(400, "bad_request", "The body ended early.", request.url.path))
