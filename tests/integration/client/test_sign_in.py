"""People who sign in to the workbench's server, before a real API that demands keys."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from stemcrate.client import Client
from stemcrate.schemas.owners import PERSON_HEADER, owner_of_person
from tests.integration.api.apps import serve, serve_app, wav_bytes
from tests.integration.api.keys import bearer, make_key
from ui.server.proxy import ApiProxy
from ui.server.sign_in.middleware import sign_in_middleware
from ui.settings import WorkbenchSettings

# The provider for tests uses what a later version of its library will not have.
pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")
PAGE = {"Accept": "text/html"}
PASSWORD = "correct horse"


async def show_headers(request: Request) -> JSONResponse:
    """Answer as a page would: with what the server says about the person."""
    found = {name: value for name, value in request.headers.items() if "person" in name}
    return JSONResponse(found)


@contextmanager
def workbench(api_url: str, api_key: str, **settings: Any) -> Iterator[str]:
    given = WorkbenchSettings.model_validate(settings)
    app = Starlette(
        routes=[Route("/{path:path}", show_headers)],
        middleware=[
            *sign_in_middleware(given),
            Middleware(ApiProxy, api_url=api_url, api_key=api_key),
        ],
    )
    with serve_app(app) as (host, port):
        yield f"http://{host}:{port}"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("installation")
    with serve(folder, api_host="0.0.0.0") as (host, port):
        yield f"http://{host}:{port}", folder


@pytest.fixture(scope="module")
def api(installation: tuple[str, Path]) -> tuple[str, str]:
    """The API's URL, and the key of the workbench's server."""
    url, folder = installation
    return url, make_key(folder, owner="workbench")


@pytest.fixture(scope="module")
def with_password(api: tuple[str, str]) -> Iterator[str]:
    settings = {"sign_in": "password", "sign_in_password": PASSWORD, "sign_in_admins": "chef"}
    with workbench(*api, **settings) as url:
        yield url


@contextmanager
def sign_in(url: str, name: str, password: str = PASSWORD) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url) as browser:
        answer = browser.post("/sign-in", data={"name": name, "password": password})
        assert answer.status_code == 303
        yield browser


def test_without_a_session_there_is_only_the_way_in(with_password: str) -> None:
    with httpx.Client(base_url=with_password) as browser:
        answer = browser.get("/library?x=1", headers=PAGE)
        assert answer.status_code == 303
        assert parse_qs(urlsplit(answer.headers["location"]).query) == {"next": ["/library?x=1"]}
        assert browser.get(answer.headers["location"]).status_code == 200
        answer = browser.get("/api/jobs")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
        assert browser.get("/api/health").status_code == 401


def test_each_person_has_what_is_their_own(with_password: str, tmp_path: Path) -> None:
    """One key for all showed everybody everything."""
    with sign_in(with_password, "Anna") as anna, sign_in(with_password, "Ben") as ben:
        files = {"file": ("song.wav", wav_bytes(0.5), "audio/wav")}
        job_id = anna.post("/api/process", files=files).json()["job_id"]
        assert anna.get(f"/api/job/{job_id}").status_code == 200
        assert ben.get(f"/api/job/{job_id}").status_code == 404
        assert ben.delete(f"/api/job/{job_id}").status_code == 404
        assert ben.get("/api/jobs").json()["jobs"] == []
    with sign_in(with_password, "anna") as again:
        assert [job["job_id"] for job in again.get("/api/jobs").json()["jobs"]] == [job_id]


def test_only_admins_look_after_the_installation(with_password: str) -> None:
    with sign_in(with_password, "Anna") as anna, sign_in(with_password, "Chef") as chef:
        assert anna.get("/api/system").status_code == 403
        assert chef.get("/api/system").status_code == 200


def test_nobody_claims_to_be_somebody(with_password: str, api: tuple[str, str]) -> None:
    """Neither by a header, nor by a cookie of one's own making, nor past the workbench."""
    with sign_in(with_password, "Ben") as ben:
        claimed = {PERSON_HEADER: "anna read write admin"}
        shown = ben.get("/x", headers=claimed).json()
        owner = owner_of_person("password", "ben")
        assert shown[PERSON_HEADER.lower()] == f"{owner} read write"
        cookie = ben.cookies["stemcrate_person"]
    body, _, signature = cookie.partition(".")
    admin = base64.b64decode(body).replace(b'"is_admin": false', b'"is_admin": true')
    with httpx.Client(base_url=with_password) as stranger:
        stranger.cookies.set("stemcrate_person", f"{base64.b64encode(admin).decode()}.{signature}")
        assert stranger.get("/api/jobs").status_code == 401
        assert stranger.get("/api/jobs", headers=claimed).status_code == 401


def test_a_key_without_the_scope_speaks_for_nobody_else(installation: tuple[str, Path]) -> None:
    url, folder = installation
    weak = make_key(folder, owner="ben", scopes=["read", "write", "admin"])
    strong = make_key(folder, owner="ben", scopes=["read", "people"])
    with httpx.Client(base_url=url, headers={PERSON_HEADER: "anna read write"}) as program:
        answer = program.get("/jobs", headers=bearer(weak))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
        assert program.get("/jobs", headers=bearer(strong)).status_code == 200
        assert program.delete("/job/x", headers=bearer(strong)).status_code == 403, "lacks write"
        answer = program.get("/jobs", headers={**bearer(strong), PERSON_HEADER: "../x read"})
        assert answer.status_code == 403
    with Client(url, api_key=strong, person="anna read") as client:
        assert client.list_jobs().jobs == []


def test_a_key_of_a_program_needs_no_session(
    with_password: str, installation: tuple[str, Path]
) -> None:
    key = make_key(installation[1], owner="robot")
    headers = {**bearer(key), PERSON_HEADER: "anna read"}
    with httpx.Client(base_url=with_password) as program:
        assert program.get("/api/jobs", headers=headers).status_code == 200
        assert program.get("/x", headers=headers).status_code == 401, "pages take no key"


def test_signing_out_ends_it(with_password: str) -> None:
    with sign_in(with_password, "Anna") as anna:
        assert anna.get("/api/jobs").status_code == 200
        anna.get("/sign-out")
        assert anna.get("/api/jobs").status_code == 401


def test_passwords_are_not_guessed(api: tuple[str, str]) -> None:
    with (
        workbench(*api, sign_in="password", sign_in_password=PASSWORD) as url,
        httpx.Client(base_url=url) as stranger,
    ):
        tried = [stranger.post("/sign-in", data={"password": str(n)}).status_code for n in range(6)]
        assert tried == [403, 403, 403, 403, 403, 429]
        answer = stranger.post("/sign-in", data={"password": PASSWORD})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


def test_no_other_site_signs_anybody_in(with_password: str) -> None:
    """Its visitor would work under a name that the site chose, and leave their songs there."""
    with httpx.Client(base_url=with_password) as browser:
        given = {"name": "mallory", "password": PASSWORD}
        for headers, status in (
            ({"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}, 403),
            ({"Origin": "https://evil.test"}, 403),
            ({"Origin": with_password, "Sec-Fetch-Site": "same-origin"}, 303),
        ):
            assert browser.post("/sign-in", data=given, headers=headers).status_code == status


def test_another_password_ends_every_session(api: tuple[str, str]) -> None:
    settings = {"sign_in": "password", "sign_in_secret": "s"}
    with workbench(*api, **settings, sign_in_password="one") as url, sign_in(url, "A", "one") as a:
        cookie = a.cookies["stemcrate_person"]
        assert a.get("/api/jobs").status_code == 200
    for password, status in (("one", 200), ("two", 401)):
        with workbench(*api, **settings, sign_in_password=password) as url:
            found = httpx.get(f"{url}/api/jobs", cookies={"stemcrate_person": cookie})
            assert found.status_code == status


def test_a_proxy_says_who_it_is(api: tuple[str, str]) -> None:
    settings = {
        "sign_in": "proxy",
        "sign_in_allowed": "@example.org",
        "sign_in_admins": "a@example.org",
    }
    with workbench(*api, **settings) as url, httpx.Client(base_url=url) as proxy:
        shown = proxy.get("/x", headers={"Remote-User": "a@example.org"}).json()
        assert shown[PERSON_HEADER.lower()].endswith(" read write admin")
        for headers in (
            [],
            [("Remote-User", "a@evil.test")],
            [("Remote-User", "b@example.org"), ("Remote-User", "a@example.org")],
        ):
            assert proxy.get("/x", headers=headers).status_code == 401
    elsewhere = {**settings, "sign_in_proxies": "10.0.0.7"}
    with workbench(*api, **elsewhere) as url:
        answer = httpx.get(f"{url}/x", headers={"Remote-User": "a@example.org"})
        assert answer.status_code == 401, "anybody can send a header"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    anna = {"email": "anna@example.org", "email_verified": True, "name": "Anna"}
    people = [
        User(sub="17", claims=anna),
        User(sub="18", claims={**anna, "email_verified": False}),
        User(sub="19", claims={**anna, "email": "eve@evil.test"}),
    ]
    with run_server_in_thread(user_claims=people, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


def sign_in_at(provider: str, browser: httpx.Client, subject: str) -> httpx.Response:
    """Go the way of a browser: to the provider, and back with its code."""
    browser.get("/sign-in?next=/library")
    there = browser.get("/sign-in/provider").headers["location"]
    assert there.startswith(provider)
    assert "code_challenge" in parse_qs(urlsplit(there).query)
    back = httpx.post(there, data={"sub": subject}).headers["location"]
    return browser.get(back)


def test_a_provider_signs_people_in(api: tuple[str, str], provider: str) -> None:
    settings = {
        "sign_in": "oidc",
        "sign_in_allowed": "@example.org",
        "oidc_issuer": provider,
        "oidc_client_id": "stemcrate",
        "oidc_client_secret": "secret",
    }
    with workbench(*api, **settings) as url:
        with httpx.Client(base_url=url) as browser:
            answer = sign_in_at(provider, browser, "17")
            assert (answer.status_code, answer.headers["location"]) == (303, "/library")
            shown = json.loads(browser.get("/x").text)
            owner = owner_of_person(provider, "17")
            assert shown[PERSON_HEADER.lower()] == f"{owner} read write"
            assert browser.get("/api/jobs").json()["jobs"] == []
        for subject in ("18", "19"):  # an address that nobody verified; a stranger
            with httpx.Client(base_url=url) as browser:
                assert sign_in_at(provider, browser, subject).status_code == 403
                assert browser.get("/api/jobs").status_code == 401
        with httpx.Client(base_url=url) as browser:
            assert browser.get("/sign-in/done?code=x&state=y").status_code == 403


def test_a_provider_that_is_away_is_said(api: tuple[str, str]) -> None:
    settings = {
        "sign_in": "oidc",
        "sign_in_allowed": "*",
        "oidc_issuer": "http://127.0.0.1:9",
        "oidc_client_id": "stemcrate",
        "oidc_client_secret": "secret",
    }
    with workbench(*api, **settings) as url:
        answer = httpx.get(f"{url}/sign-in/provider")
        assert answer.status_code == 502
        assert "provider" in answer.text
