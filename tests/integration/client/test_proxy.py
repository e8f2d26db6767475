"""The API below `/api` of the workbench's server: the same answers, streamed both ways."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount

from api.body_progress import BodyProgress
from bench.processes import held_ports
from stemcrate.client import ApiError, Client
from stemcrate.schemas.events import StateEvent
from stemcrate.schemas.jobs import Job, OutputFile
from tests.conditions import PATIENCE_S, wait_until
from tests.file_server import FileServer
from tests.integration.api.apps import files_below, serve, serve_app, wav_bytes
from tests.integration.api.keys import make_key
from tests.integration.client.conftest import Installation
from ui.server.proxy import ApiProxy

pytestmark = pytest.mark.slow
OTHER = Starlette(routes=[Mount("/", PlainTextResponse("the workbench"))])
Address = tuple[str, int]


@contextmanager
def proxy_to(api_url: str) -> Iterator[Address]:
    with serve_app(ApiProxy(OTHER, api_url)) as address:
        yield address


@pytest.fixture(scope="module")
def proxy(installation: Installation) -> Iterator[Address]:
    with proxy_to(installation.url) as address:
        yield address


@pytest.fixture(scope="module")
def through(proxy: Address) -> Iterator[Client]:
    with Client(f"http://{proxy[0]}:{proxy[1]}/api") as client:
        yield client


def ask(
    address: Address,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE_S)
    with closing(connection):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def longest(client: Client, job: Job) -> OutputFile:
    return max(client.list_outputs(job.job_id).artefacts, key=lambda file: file.bytes)


def test_paths_beside_the_prefix_belong_to_the_workbench(proxy: Address) -> None:
    for path in ("/", "/apidays", "/jobs"):
        assert ask(proxy, "GET", path)[2] == b"the workbench"


def test_a_whole_job_goes_through(
    through: Client, installation: Installation, tmp_path: Path
) -> None:
    song = tmp_path / "Nacht & Träume #2 100%.wav"
    song.write_bytes(wav_bytes(1.0, seed=5))
    job_id = through.submit_job([song], {"stages": ["tempo"]}).job_id
    installation.run_job(job_id)
    assert through.wait(job_id).state == "completed"
    for file in through.list_outputs(job_id).artefacts:
        through.download(file, tmp_path)  # checks length and SHA-256
    assert through.download_zip(job_id, tmp_path).stat().st_size > 0


@pytest.mark.parametrize(
    "headers", [{}, {"Range": "bytes=100-199"}, {"Range": "bytes=-7"}, {"Range": "bytes=1-2,9-9"}]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_ranges_and_tags_are_those_of_the_api(
    proxy: Address,
    through: Client,
    installation: Installation,
    finished: Job,
    method: str,
    headers: dict[str, str],
) -> None:
    path = longest(through, finished).url
    status, got, body = ask(proxy, method, f"/api{path}", headers)
    expected_status, expected, expected_body = ask(installation.address, method, path, headers)
    assert status == expected_status
    assert status == (206 if headers and method == "GET" else status)
    same = ("content-length", "content-range", "etag", "accept-ranges", "content-disposition")
    assert [got[name] for name in same] == [expected[name] for name in same]
    if "1-2,9-9" not in headers.get("Range", ""):  # its boundary is another each time
        assert body == expected_body
    tagged = ask(proxy, method, f"/api{path}", {"If-None-Match": got["etag"]})
    assert (tagged[0], tagged[2]) == (304, b"")


def test_paths_in_headers_lead_below_the_prefix(proxy: Address, finished: Job) -> None:
    _, headers, _ = ask(proxy, "GET", "/api/jobs?limit=1")
    link = headers["Link"]
    assert link is None or link.startswith("</api/jobs?")
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    body = head + wav_bytes(0.5, seed=31) + b"\r\n--b--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    status, headers, _ = ask(proxy, "POST", "/api/process", kind, body)
    assert status == 202
    assert headers["Location"].startswith("/api/job/")
    assert ask(proxy, "GET", headers["Location"])[0] == 200


def test_events_come_as_they_happen(through: Client, tmp_path: Path) -> None:
    """A proxy that waits for the end of an answer shows nothing until the job has ended."""
    song = tmp_path / "song.wav"
    song.write_bytes(wav_bytes(0.5, seed=32))
    job_id = through.submit_job([song]).job_id
    events = through.stream_job_events(job_id)
    first = next(events)
    assert isinstance(first, StateEvent)
    assert first.state == "queued"
    through.cancel_job(job_id)
    assert [event.state for event in events if isinstance(event, StateEvent)] == ["cancelled"]


def test_an_upload_arrives_while_it_is_sent_and_leaves_nothing_when_its_client_leaves(
    proxy: Address, installation: Installation
) -> None:
    """A proxy that collects bodies would hold 500 MB; one that goes on alone keeps half files."""
    uploads = installation.settings.data_dir / "uploads"
    before = files_below(uploads)
    connection = socket.create_connection(proxy, timeout=PATIENCE_S)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    connection.sendall(
        b"POST /api/process HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000000\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + head + b"x" * 2_000_000
    )
    wait_until(lambda: files_below(uploads) != before)
    connection.close()
    wait_until(lambda: files_below(uploads) == before)


def test_a_refusal_before_the_end_of_the_body_arrives(proxy: Address) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="no_option"\r\n\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    body = head + b"x" * 30_000_000 + b"\r\n--b--\r\n"
    status, _, answer = ask(proxy, "POST", "/api/process", kind, body)
    assert (status, json.loads(answer)["code"]) == (422, "invalid_option")


def cancel(proxy: Address, **headers: str) -> tuple[int, Any]:
    """Ask for something that changes a state, as a page does; an unknown job is a 404."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    status, _, answer = ask(proxy, "POST", "/api/job/0/cancel", named)
    return status, json.loads(answer)["code"]


def test_own_pages_may_change_something(proxy: Address) -> None:
    own = f"{proxy[0]}:{proxy[1]}"
    assert cancel(proxy, Origin=f"http://{own}") == (404, "job_not_found")
    assert cancel(proxy, Host="stems.lan", Origin="http://stems.lan") == (404, "job_not_found")
    behind_tls = {"Origin": "https://stems.example.org", "Sec_Fetch_Site": "same-origin"}
    assert cancel(proxy, **behind_tls) == (404, "job_not_found")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://evil.test", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://other.lan", "Host": "stems.lan", "Sec_Fetch_Site": "same-site"},
        {"Origin": "http://evil.test", "X_Forwarded_Host": "evil.test"},
    ],
)
def test_pages_of_other_origins_may_not(proxy: Address, headers: dict[str, str]) -> None:
    assert cancel(proxy, **headers) == (403, "forbidden_origin")


def test_an_api_that_is_away_is_a_problem_that_says_so() -> None:
    with held_ports() as (port,), proxy_to(f"http://127.0.0.1:{port}") as address:
        status, headers, _ = ask(address, "GET", "/api/health")
        assert (status, headers["Retry-After"]) == (503, "2")
        assert headers["Content-Type"] == "application/problem+json"
        with (
            Client(f"http://{address[0]}:{address[1]}/api") as client,
            pytest.raises(ApiError) as caught,
        ):
            client.get_config()
        assert caught.value.code == "api_unreachable"
        assert caught.value.problem.retryable


def test_an_api_that_says_nothing_is_a_bad_gateway() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        proxy_to(f"http://127.0.0.1:{listener.getsockname()[1]}") as address,
        closing(http.client.HTTPConnection(*address, timeout=PATIENCE_S)) as connection,
    ):
        connection.request("GET", "/api/health")
        accepted, _ = listener.accept()
        accepted.close()
        answer = connection.getresponse()
        assert answer.status == 502
        assert json.loads(answer.read())["code"] == "bad_gateway"


def test_half_an_answer_is_not_passed_off_as_a_whole_one(tmp_path: Path) -> None:
    (tmp_path / "stem.wav").write_bytes(bytes(500_000))
    with FileServer(tmp_path) as server, proxy_to(server.address) as address:
        server.break_after = 200_000
        with pytest.raises(http.client.IncompleteRead):
            ask(address, "GET", "/api/stem.wav")


def test_an_upload_that_stalls_ends_on_both_sides(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy would wait for the rest as long as the client does."""
    monkeypatch.setattr("api.body_progress.PATIENCE_S", 1.0)
    guarded = BodyProgress(ApiProxy(OTHER, installation.url), max_open=5)
    with serve_app(guarded) as address, socket.create_connection(address, PATIENCE_S) as client:
        client.sendall(
            b"POST /api/process HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        )
        answer = b""
        while data := client.recv(4096):
            answer += data
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer


def test_a_key_of_the_workbench_goes_with_requests_that_bring_none(tmp_path: Path) -> None:
    """The browser has no key: pages, events and downloads would all be refused."""
    with serve(tmp_path, api_host="0.0.0.0") as (host, port):
        url = f"http://{host}:{port}"
        app = ApiProxy(OTHER, url, make_key(tmp_path, scopes=["read", "write"]))
        with serve_app(app) as address, Client(f"http://{address[0]}:{address[1]}/api") as client:
            song = tmp_path / "song.wav"
            song.write_bytes(wav_bytes(0.5))
            job_id = client.submit_job([song]).job_id
            client.cancel_job(job_id)
            assert isinstance([*client.stream_job_events(job_id)][-1], StateEvent)
            assert client.download_zip(job_id, tmp_path).stat().st_size > 0
            for authorization, status in (
                ("Basic YTpi", 200),  # of a proxy in front
                (f"Bearer {make_key(tmp_path)}", 200),
                ("Bearer stemcrate_no", 401),
            ):
                headers = {"Authorization": authorization}
                assert ask(address, "GET", "/api/jobs", headers)[0] == status
            admin = make_key(tmp_path, scopes=["admin"])
            assert ask(address, "GET", "/api/system", {})[0] == 403
            assert (
                ask(address, "GET", "/api/system", {"Authorization": f"Bearer {admin}"})[0] == 200
            )
        with proxy_to(url) as address:
            status, answered, body = ask(address, "GET", "/api/jobs", {"Authorization": "Basic x"})
            assert (status, answered["WWW-Authenticate"].split()[0]) == (401, "Bearer")
            assert b"STEMCRATE_API_KEY" in body
