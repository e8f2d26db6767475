"""Sends all requests: URLs, timeouts, and exceptions for problems."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import requests  # noqa: TID251
from pydantic import BaseModel, TypeAdapter, ValidationError

from stemcrate.client.errors import ApiError, ApiUnreachable, UnexpectedAnswer
from stemcrate.schemas.owners import PERSON_HEADER
from stemcrate.schemas.problem import Problem

Model = TypeVar("Model", bound=BaseModel)
Query = Mapping[str, str | float | bool | None]


class Connection:
    """Sends requests to one API and parses its answers."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str,
        person: str,
        timeout_s: float,
        use_environment: bool,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = use_environment
        if api_key:
            self._session.auth = _Key(api_key)
        if person:
            self._session.headers[PERSON_HEADER] = person

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def read(self, method: str, path: str, model: type[Model], **request: Any) -> Model:
        """Send a request and return its JSON answer as ``model``."""
        with self.stream(method, path, **request) as answer:
            return parse(answer, model)

    def tell(self, method: str, path: str, **request: Any) -> None:
        """Send a request without a response body."""
        with self.stream(method, path, **request):
            pass

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        timeout_s: float | None = None,
        accepted: tuple[int, ...] = (),
        **request: Any,
    ) -> Iterator[requests.Response]:
        """Send a request and yield its response, whose body is not read yet.

        ``accepted`` lists statuses from 400 that are not errors here. Raises
        `ApiError`, `ApiUnreachable` (here and while the body is read) and `UnexpectedAnswer`.
        """
        with self._unreachable_named():
            answer = self._session.request(
                method,
                self.base_url + path,
                params=_written(query),
                timeout=timeout_s or self.timeout_s,
                stream=True,
                **request,
            )
            with answer:
                if not answer.ok and answer.status_code not in accepted:
                    raise _read_problem(answer)
                yield answer

    @contextmanager
    def _unreachable_named(self) -> Iterator[None]:
        try:
            yield
        except requests.ReadTimeout as error:
            raise ApiUnreachable(
                f"The API at {self.base_url} is there but did not answer in time.",
                "It may be busy with a large upload. Try again in a moment.",
            ) from error
        except requests.RequestException as error:
            raise ApiUnreachable(
                f"The API at {self.base_url} is not reachable.",
                "Start everything with 'stemcrate serve', or correct the address (API_URL).",
            ) from error


class _Key(requests.auth.AuthBase):
    """Puts a key on a request; in place of ``.netrc``, which would replace a plain header."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request


def path_of(*parts: str) -> str:
    """Build a path from parts, which are escaped."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def made_for(version: str | None) -> dict[str, str]:
    """Return the headers of a change that is made for a version; None: for any."""
    return {} if version is None else {"If-Match": f'"{version}"'}


def parse(answer: requests.Response, model: type[Model]) -> Model:
    """Read an answer as ``model``. Raises `UnexpectedAnswer`.

    Unknown fields are kept (``model_extra``): the API may be newer.
    """
    return parse_text(answer, answer.content, model)


def parse_text(answer: requests.Response, text: str | bytes, model: type[Model]) -> Model:
    """Read a part of an answer, as `parse` does."""
    try:
        return TypeAdapter(model).validate_json(text, extra="allow")
    except ValidationError as error:
        raise unexpected(answer) from error


def unexpected(answer: requests.Response) -> UnexpectedAnswer:
    """Return the error for an answer that is not from Stemcrate's API."""
    return UnexpectedAnswer(
        f"The API gave an answer that this client does not understand ({answer.status_code}).",
        "Check the address (API_URL): it may lead to something else than Stemcrate's API.",
    )


def _read_problem(answer: requests.Response) -> ApiError | UnexpectedAnswer:
    try:
        wait = answer.headers.get("Retry-After", "")
        return ApiError(parse(answer, Problem), int(wait) if wait.isdecimal() else None)
    except UnexpectedAnswer as error:
        return error


def _written(query: Query | None) -> dict[str, str]:
    """Format the set parameters for the API."""
    values = {name: value for name, value in (query or {}).items() if value is not None}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }
