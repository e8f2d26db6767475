"""Keys over HTTP: who is let in, for what, and what is written of them."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.access import OPEN_OPERATIONS, SCOPE_OF, check_table
from api.main import create_app
from api.routes import jobs
from core.access.keys import Scope, read_key
from core.access.store import KeyStore
from core.system.clock import now
from stemcrate.client import ApiError, Client
from tests.conditions import wait_until
from tests.integration.api.apps import open_client, serve, settings_for, submit, wav_bytes
from tests.integration.api.keys import bearer, make_key

OPEN_TO_THE_NETWORK = {"api_host": "0.0.0.0"}
VALUES = {"{id}": "x", "{track}": "x", "{format}": "m3u8", "{index}": "0", "{label}": "x"}
VALUES |= {"{segment}": "0", "{kind}": "dat", "{name}": "x"}


def operations() -> Iterator[tuple[str, str, str]]:
    """Yield id, method and a path of every operation."""
    for path, methods in create_app(settings_for("unused")).openapi()["paths"].items():
        for name, value in VALUES.items():
            path = path.replace(name, value)
        for method, operation in methods.items():
            yield operation["operationId"], method.upper(), path


TUS = {"Tus-Resumable": "1.0.0"}
OPERATIONS = list(operations())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def closed(folder: Path) -> Iterator[TestClient]:
    """An API that demands keys, with one of each scope."""
    with open_client(folder, **OPEN_TO_THE_NETWORK) as client:
        yield client


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    return {scope: make_key(folder, scopes=[scope]) for scope in Scope}


@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS, ids=[o[0] for o in OPERATIONS])
def test_every_operation_demands_a_key_and_its_scope(
    closed: TestClient, keys: dict[str, str], name: str, method: str, path: str
) -> None:
    """One operation that was forgotten is open to everybody."""
    anonymous = closed.request(method, path)
    if name in OPEN_OPERATIONS:
        assert anonymous.status_code in (200, 204)
        return
    assert anonymous.status_code == 401
    assert anonymous.headers["www-authenticate"] == 'Bearer realm="stemcrate"'
    assert anonymous.headers["content-type"] == "application/problem+json"
    assert anonymous.json()["code"] == "key_required"
    for scope, key in keys.items():
        # The scope is looked at before anything else of the request, such as its body.
        answer = closed.request(method, path, headers={**TUS, **bearer(key)})
        assert answer.status_code != 401
        is_refused = answer.status_code == 403
        assert is_refused is (scope != SCOPE_OF[name]), (scope, answer.text)
        if is_refused:
            assert answer.json()["code"] == "scope_missing"
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_only_probes_are_open() -> None:
    assert {"get_health", "check_alive", "check_ready"} == OPEN_OPERATIONS


def test_an_operation_without_a_scope_stops_the_app() -> None:
    with pytest.raises(ValueError, match="check_alive"):
        check_table(jobs.router.routes)


def test_the_description_has_the_scheme(shared: Any) -> None:
    description = shared.get("/openapi.json").json()
    assert description["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for methods in description["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            expected = [] if name in OPEN_OPERATIONS else [{"key": [SCOPE_OF[name]]}]
            assert operation["security"] == expected


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "{key}", "Bearer {key}x", "Token {key}"],
)
@pytest.mark.parametrize("path", ["/jobs", "/nowhere", "/uploads"])
def test_what_is_no_valid_key_is_refused(
    closed: TestClient, keys: dict[str, str], authorization: str, path: str
) -> None:
    sent = authorization.format(key=keys["read"])
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT"):
        assert closed.request(method, path, headers={"Authorization": sent}).status_code == 401


def test_the_word_bearer_is_read_in_any_case(closed: TestClient, keys: dict[str, str]) -> None:
    headers = {"Authorization": f"bEARER {keys['read']}"}
    assert closed.get("/jobs", headers=headers).status_code == 200


def test_another_method_in_a_header_needs_the_scope_of_that(
    closed: TestClient, keys: dict[str, str]
) -> None:
    """tus clients may send `X-HTTP-Method-Override`: it must not pass as what it is not."""
    headers = {**TUS, "X-HTTP-Method-Override": "DELETE"}
    answer = closed.post("/uploads/x", headers={**headers, **bearer(keys["read"])})
    assert answer.status_code == 403


def test_pages_and_monitors_need_no_key(closed: TestClient) -> None:
    for path in ("/health", "/docs", "/redoc", "/docs/swagger-ui.css", "/openapi.json"):
        assert closed.get(path).status_code == 200
    preflight = {"Origin": "http://evil.test", "Access-Control-Request-Method": "DELETE"}
    assert closed.options("/jobs", headers=preflight).status_code == 400


def test_a_key_ends_when_it_expires_or_is_revoked(tmp_path: Path) -> None:
    store = KeyStore(settings_for(tmp_path).resolved_database_url())
    with open_client(tmp_path, **OPEN_TO_THE_NETWORK) as client:
        expired = make_key(tmp_path, expires_at=now() - timedelta(seconds=1))
        assert client.get("/jobs", headers=bearer(expired)).status_code == 401
        key = make_key(tmp_path)
        assert client.get("/jobs", headers=bearer(key)).status_code == 200
        parts = read_key(key)
        assert parts is not None
        _, successor = store.rotate(parts[0])
        assert client.get("/jobs", headers=bearer(successor)).status_code == 200
        wait_until(lambda: client.get("/jobs", headers=bearer(key)).status_code == 401)


@pytest.mark.parametrize(
    "changes",
    [{}, {"api_host": "::1"}, {**OPEN_TO_THE_NETWORK, "allow_open_network": True}],
)
def test_the_first_key_closes_an_open_api_and_its_end_does_not_open_it(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Behind a proxy on the same machine, loopback is the whole world."""
    store = KeyStore(settings_for(tmp_path).resolved_database_url())
    with open_client(tmp_path, **changes) as client:
        assert client.get("/jobs").status_code == 200
        assert client.get("/jobs", headers=bearer("old")).status_code == 200
        key = make_key(tmp_path)
        wait_until(lambda: client.get("/jobs").status_code == 401)
        parts = read_key(key)
        assert parts is not None
        store.revoke(parts[0])
        wait_until(lambda: client.get("/jobs", headers=bearer(key)).status_code == 401)
        assert client.get("/jobs").status_code == 401


def test_the_log_names_the_key_and_holds_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with open_client(tmp_path, **OPEN_TO_THE_NETWORK) as client:
        key = make_key(tmp_path)
        client.headers.update(bearer(key))
        submit(client)
        client.post("/playlists", headers=bearer(f"{key}x"), json={"name": "x"})
    parts = read_key(key)
    assert parts is not None
    assert f"with the key {parts[0]} of anna" in caplog.text
    assert parts[1] not in caplog.text


def test_the_report_on_the_system_shows_no_key(tmp_path: Path) -> None:
    secret = f"stemcrate_{'0' * 12}_{'1' * 64}"
    with open_client(tmp_path, stemcrate_api_key=secret) as client:
        report = client.get("/system")
    assert report.status_code == 200
    assert "STEMCRATE_API_KEY" in report.text
    assert secret not in report.text


def test_a_client_with_a_key_does_everything(tmp_path: Path) -> None:
    """Events, uploads in parts and downloads have requests of their own."""
    with serve(tmp_path, **OPEN_TO_THE_NETWORK) as (host, port):
        url = f"http://{host}:{port}"
        with Client(url) as anonymous:
            assert anonymous.get_health().database
            with pytest.raises(ApiError) as caught:
                anonymous.list_jobs()
            assert (caught.value.status, caught.value.code) == (401, "key_required")
            assert "Authorization: Bearer" in caught.value.hint
        song = tmp_path / "song.wav"
        song.write_bytes(wav_bytes(0.5))
        with Client(url, api_key=make_key(tmp_path)) as client:
            upload_id = client.upload_file(song).id
            job_id = client.submit_job([], {"stages": ["tempo"]}, upload_ids=[upload_id]).job_id
            client.cancel_job(job_id)
            assert client.wait(job_id).state == "cancelled"
            assert [event.kind for event in client.stream_job_events(job_id)][-1] == "state"
            assert client.download_zip(job_id, tmp_path).stat().st_size > 0
