"""One client can't lock the API up: connections, bodies, streams and the log have limits."""

import http.client
import json
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from bench.processes import held_ports, running
from tests.conditions import PATIENCE_S, wait_until
from tests.integration.api.apps import files_below, open_client, serve, submit

ROOT = Path(__file__).parents[3]
N_FILES = 1024
HALF = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
OPTION = b'--b\r\nContent-Disposition: form-data; name="format"\r\n'
PART = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF'
    + b"\0" * 300_000
)


def upload_head(n_bytes: int) -> bytes:
    return (
        b"POST /process HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: %d\r\n\r\n" % n_bytes
    )


@contextmanager
def api_process(folder: Path) -> Iterator[tuple[int, Any]]:
    """Run `stemcrate api` with few files; its console goes to a file."""
    with held_ports() as (port,), (folder / "console").open("wb") as console:
        environment = {
            **os.environ,
            "API_PORT": str(port),
            "DATA_DIR": str(folder / "data"),
            "MIN_FREE_BYTES": "0",
            "PYTHONPATH": str(ROOT),
            "SEPARATOR_MODEL": "spleeter",
        }
        shell = f'ulimit -n {N_FILES}; exec "$0" -m cli.main api'
        command = ["bash", "-c", shell, sys.executable]
        with running(command, cwd=folder, env=environment, stderr=console) as process:
            wait_until(lambda: is_healthy(port) or process.poll() is not None)
            assert process.poll() is None, (folder / "console").read_text()
            yield port, process


def is_healthy(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_S).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process open more files than the server may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * N_FILES:
        pytest.skip("this system permits too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * N_FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("many_files")
def test_half_sent_requests_take_no_connection_from_others(tmp_path: Path) -> None:
    """1,100 of them ended the API, wrote 99 MB to the console and overwrote its logs."""
    with api_process(tmp_path) as (port, process), ExitStack() as stack:
        for number in range(1100):
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
            stack.enter_context(connection).sendall(HALF)
            if number % 200 == 199:
                assert is_healthy(port)
        assert is_healthy(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
    for written in (tmp_path / "console", tmp_path / "data" / "logs" / "api.log"):
        assert written.stat().st_size < 100_000


@pytest.mark.slow
def test_stalled_uploads_do_not_hold_up_the_end(tmp_path: Path) -> None:
    """They stayed open, with their files, and SIGTERM waited for them."""
    with api_process(tmp_path) as (port, process), ExitStack() as stack:
        for _ in range(100):
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
            stack.enter_context(connection).sendall(upload_head(10**6) + PART)
        uploads = tmp_path / "data" / "uploads"
        wait_until(lambda: len(files_below(uploads)) == 100)
        assert is_healthy(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
    assert files_below(uploads) == []


def test_a_stalled_body_is_answered_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.body_progress.PATIENCE_S", 0.5)
    with serve(tmp_path) as address, socket.create_connection(address, PATIENCE_S) as connection:
        connection.sendall(upload_head(10**6) + PART)
        answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer
    assert files_below(tmp_path / "uploads") == []


def test_a_body_that_trickles_is_stalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is no progress."""
    monkeypatch.setattr("api.body_progress.PATIENCE_S", 1.0)
    with serve(tmp_path) as address, socket.create_connection(address, 0.05) as connection:
        connection.sendall(upload_head(10**6) + PART)
        answer = b""
        while not answer:
            connection.sendall(b"x")
            try:
                answer = connection.recv(4096)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


def read_to_end(connection: socket.socket) -> bytes:
    found = b""
    while data := connection.recv(1 << 16):
        found += data
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"\r\n" * 500),
        (OPTION + b"\r\nwav\r\n--b--\r\n", b"x" * 1000),
    ],
    ids=["preamble", "epilogue"],
)
def test_bytes_outside_the_parts_are_counted(tmp_path: Path, before: bytes, after: bytes) -> None:
    """3 GB before the first part and 2.4 GB after the last were taken, and never answered."""
    with (
        serve(tmp_path) as address,
        closing(http.client.HTTPConnection(*address, timeout=PATIENCE_S)) as connection,
    ):
        connection.putrequest("POST", "/process")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", str(10**10))
        connection.endheaders()
        connection.send(before)
        for _ in range(1300):
            connection.send(after)
        answer = connection.getresponse()
        assert answer.status == 400
        assert "outside its parts" in json.loads(answer.read())["detail"]
    assert files_below(tmp_path / "uploads") == []


def test_uploads_and_streams_leave_connections_to_others(tmp_path: Path) -> None:
    with serve(tmp_path, max_connections=8) as address, ExitStack() as stack:
        base = f"http://{address[0]}:{address[1]}"
        with open_client(tmp_path) as client:
            job_id = submit(client)
        for _ in range(2):
            watcher = http.client.HTTPConnection(*address, timeout=PATIENCE_S)
            stack.enter_context(closing(watcher)).request("GET", f"/job/{job_id}/events")
            assert watcher.getresponse().readline().startswith(b"retry:")
        refused = requests.get(f"{base}/job/{job_id}/events", timeout=PATIENCE_S)
        assert (refused.status_code, refused.json()["code"]) == (503, "server_busy")
        for _ in range(4):
            connection = socket.create_connection(address, timeout=PATIENCE_S)
            stack.enter_context(connection).sendall(upload_head(10**6) + PART)
        wait_until(lambda: len([f for f in files_below(tmp_path / "uploads") if ".part" in f]) == 4)
        refused = requests.post(f"{base}/playlists", json={"name": "x"}, timeout=PATIENCE_S)
        assert (refused.status_code, refused.json()["code"]) == (503, "server_busy")
        assert refused.headers["Retry-After"].isdigit()
        assert requests.get(f"{base}/health", timeout=PATIENCE_S).ok


def test_changes_are_logged_with_their_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who deleted what could not be found out."""
    caplog.set_level(logging.INFO, "api.change_log")
    with open_client(tmp_path) as client:
        job_id = submit(client)
        client.get(f"/job/{job_id}")
        client.delete(f"/job/{job_id}", headers={"X-Request-ID": "abc"})
        client.delete("/job/un%0Aknown", headers={"Origin": "http://evil.test"})
    created, deleted, refused = caplog.messages
    assert created.startswith(f"POST /process: 202 /job/{job_id}, from testclient [")
    assert deleted == f"DELETE /job/{job_id}: 204, from testclient [abc]"
    assert refused.startswith("DELETE /job/un%0Aknown: 403, from testclient [")
