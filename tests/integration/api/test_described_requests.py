"""Requests made from the OpenAPI description: none ends in a 5xx, and answers are as described.

They bring a key that the API demands; without it, none is answered with success.

The description is written by hand for what the app reads itself, and by FastAPI for the rest;
clients and their authors rely on it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.access import OPEN_PATHS
from api.main import create_app
from core.library.library import Library
from stemcrate.schemas.owners import LOCAL
from tests.integration.api.apps import serve, settings_for, wav_bytes
from tests.integration.api.keys import bearer, make_key
from tests.library_records import make_record, track_id

N_EXAMPLES = 40
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
CHECKS = [
    negative_data_rejection,
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("described")


@pytest.fixture(scope="module")
def base_url(folder: Path) -> Iterator[str]:
    """The address of an API with a small library, which demands keys."""
    with serve(folder, api_host="0.0.0.0") as (host, port):
        library = Library(folder, settings_for(folder).resolved_database_url())
        for n in range(6):
            library.put(make_record(n, tempo_bpm=120.0 + n, camelot=f"{n + 5}A", energy=3 + n))
        yield f"http://{host}:{port}"


@pytest.fixture(scope="module")
def session(folder: Path) -> Iterator[requests.Session]:
    """Requests with a key of the library's owner."""
    with requests.Session() as session:
        session.headers.update(bearer(make_key(folder, LOCAL)))
        yield session


@pytest.fixture(scope="module")
def known_ids(base_url: str, session: requests.Session) -> dict[str, str]:
    """Return ids of a job, a playlist, a collection and a track, by the start of their paths."""
    files = {"file": ("a.wav", wav_bytes(0.5))}
    job_id = session.post(f"{base_url}/process", files=files).json()["job_id"]
    playlist_id = session.post(f"{base_url}/playlists", json={"name": "x"}).json()["id"]
    collection = {"name": "x", "tracks": [track_id(2)]}
    made = session.post(f"{base_url}/library/collections", json=collection).json()
    return {
        "/job/": job_id,
        "/download/": job_id,
        "/playlists/": playlist_id,
        "/library/collections/": made["id"],
        "/library/tracks/": track_id(1),
    }


def kinds_of_requests() -> Iterator[tuple[GenerationMode, str, str]]:
    """Yield mode, method and path; requests that break the description where they can."""
    for path, methods in create_app(settings_for("unused")).openapi()["paths"].items():
        for method, operation in methods.items():
            if path.endswith("/events"):  # of a job that waits, the stream has no end
                continue
            yield GenerationMode.POSITIVE, method.upper(), path
            in_query = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
            bodies = operation.get("requestBody", {}).get("content", {})
            if "multipart/form-data" in bodies:
                continue  # its files cannot be broken: "Unsupported type: 'Binary'"
            if in_query or bodies:
                yield GenerationMode.NEGATIVE, method.upper(), path


def check_without_key(case: Any, base_url: str, path: str) -> None:
    """Send the same request without a key: it must not succeed."""
    if path not in OPEN_PATHS:
        assert case.call(base_url=base_url).status_code >= 400


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "method", "path"), list(kinds_of_requests()))
def test_every_answer_is_as_described(
    base_url: str,
    session: requests.Session,
    known_ids: dict[str, str],
    mode: GenerationMode,
    method: str,
    path: str,
) -> None:
    """`POST /playlists` answered 500 to one number of thousands, and lists lacked media types."""
    description = session.get(f"{base_url}/openapi.json").json()
    for operation in description["paths"][path].values():
        del operation["security"]  # keys would be made up, and broken as if that were allowed
    schema = schemathesis.openapi.from_dict(description)
    operation = schema[path][method]
    # In a form everything is text, which no part of the wrong type contradicts.
    is_form = any(body.media_type == "multipart/form-data" for body in operation.body)
    # And tus refuses with 412 and 460, which the check does not know.
    is_lenient = is_form or path.startswith("/uploads")
    checks = [c for c in CHECKS if not (is_lenient and c is negative_data_rejection)]

    @settings(
        max_examples=N_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans())
    def ask(case: Any, is_known: bool) -> None:
        for start, known_id in known_ids.items():
            if is_known and method == "GET" and path.startswith(f"{start}{{id}}"):
                case.path_parameters["id"] = known_id
        case.call_and_validate(base_url=base_url, session=session, checks=checks)
        check_without_key(case, base_url, path)

    ask()
