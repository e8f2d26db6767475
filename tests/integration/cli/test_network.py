"""Who reaches API and workbench: only this machine, only by their own names, and in no frame."""

import http.client
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from bench.processes import held_ports, running
from tests.conditions import PATIENCE_S, wait_until
from tests.integration.cli.shell import ROOT, Shell
from ui.assets import asset_files, asset_url

PAGE = "/"
STREAM = "/_stcore/stream"
API = "/api/health"
NAME = next(name for name in asset_files() if name.endswith(".js"))
ASSET = asset_url(NAME)
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
N_CONNECTIONS = 20


def ask(port: int, path: str, headers: dict[str, str]) -> tuple[int, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers


def is_up(port: int) -> bool:
    try:
        return ask(port, "/_stcore/health", {})[0] == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a workbench that `stemcrate ui` serves."""
    folder = tmp_path_factory.mktemp("workbench")
    with held_ports(2) as (port, api_port):
        environment = {
            **os.environ,
            "DATA_DIR": str(folder),
            "UI_PORT": str(port),
            "API_URL": f"http://127.0.0.1:{api_port}",
            "ALLOWED_HOSTS": "nas.lan",
            "CORS_ORIGINS": "https://stems.example.org",
            "MAX_CONNECTIONS": str(N_CONNECTIONS),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "cli.main", "ui"]
        with running(command, cwd=folder, env=environment) as process:
            wait_until(lambda: is_up(port) or process.poll() is not None)
            assert process.poll() is None
            yield port
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test:8501"])
@pytest.mark.parametrize(
    ("path", "headers", "refusal"),
    [(PAGE, {}, 421), (STREAM, UPGRADE, 403), (API, {}, 421), (ASSET, {}, 421)],
)
def test_the_workbench_answers_to_no_foreign_name(
    workbench: int, host: str, path: str, headers: dict[str, str], refusal: int
) -> None:
    """A web site whose name was made to lead here showed the whole history, and could delete it."""
    status, _ = ask(workbench, path, {**headers, "Host": host, "Origin": f"http://{host}"})
    assert status == refusal


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "nas.lan", "stems.example.org"])
def test_the_workbench_answers_to_its_own_names(workbench: int, host: str) -> None:
    """The last two are an operator's: a further name, and the origin behind a proxy."""
    assert ask(workbench, PAGE, {"Host": host})[0] == 200
    assert ask(workbench, STREAM, {**UPGRADE, "Host": host, "Origin": f"http://{host}"})[0] == 101


def test_no_foreign_page_shows_the_workbench_in_a_frame(workbench: int) -> None:
    """A page that lies over the frame leads clicks to its buttons."""
    for path in (PAGE, "/History", "/_stcore/health", API, ASSET):
        _, headers = ask(workbench, path, {})
        assert headers["Content-Security-Policy"] == "frame-ancestors 'self'"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"


def test_the_api_is_a_part_of_the_workbench_also_while_it_is_away(workbench: int) -> None:
    status, headers = ask(workbench, API, {})
    assert (status, headers["Content-Type"]) == (503, "application/problem+json")


def test_components_are_modules_that_browsers_keep(workbench: int) -> None:
    status, headers = ask(workbench, ASSET, {})
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/javascript")
    assert "immutable" in headers["Cache-Control"]
    status, headers = ask(workbench, f"/assets/0000/{NAME}", {})
    assert (status, headers["Cache-Control"]) == (200, "no-cache"), "an older page's"
    assert ask(workbench, asset_url("../app.py"), {})[0] in (400, 404)
    assert ask(workbench, asset_url("no.js"), {})[0] == 404


def test_half_sent_requests_take_no_connection_from_others(workbench: int) -> None:
    """Each stayed open for ever, until the workbench could open no file any more."""
    with ExitStack() as stack:
        connections = []
        for _ in range(N_CONNECTIONS + 5):
            connection = socket.create_connection(("127.0.0.1", workbench), timeout=PATIENCE_S)
            connections.append(stack.enter_context(connection))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        assert ask(workbench, PAGE, {})[0] == 200
        for oldest in connections[:5]:
            assert is_closed(oldest)


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    ("command", "setting"),
    [("ui", "UI_HOST"), ("serve", "UI_HOST")],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "nas.lan"])
def test_the_workbench_does_not_listen_to_the_network_unless_told(
    tmp_path: Path, command: str, setting: str, host: str
) -> None:
    """One variable opened everything to everyone on the network, without a word."""
    result = Shell(tmp_path).run(command, **{setting: host})
    assert result.returncode == 1
    assert f"{setting}={host}" in result.stderr
    assert "ALLOW_OPEN_NETWORK=true" in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_api_that_listens_to_the_network_says_that_it_needs_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Every request would be refused, and nobody would know why."""
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: None)
    shell = Shell(tmp_path)
    wanted = {"API_HOST": host, "API_PORT": "0"}
    result = shell.run("api", **wanted)
    assert result.returncode == 0, result.stderr
    assert "stemcrate keys create" in result.stderr
    for environment in ({"API_PORT": "0"}, {**wanted, "ALLOW_OPEN_NETWORK": "true"}):
        assert "keys" not in shell.run("api", **environment).stderr
    assert shell.run("keys", "create", "laptop", "--owner", "anna").returncode == 0
    assert "keys" not in shell.run("api", **wanted).stderr


def test_an_operator_opens_it_in_so_many_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers listen on every address; what they publish decides who comes in."""
    served: list[object] = []
    monkeypatch.setattr("uvicorn.run", lambda *_, **options: served.append(options["host"]))
    result = Shell(tmp_path).run("api", API_HOST="0.0.0.0", API_PORT="0", ALLOW_OPEN_NETWORK="true")
    assert result.returncode == 0, result.stderr
    assert served == ["0.0.0.0"]
