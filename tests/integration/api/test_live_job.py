"""A job from upload to ZIP as a client sees it, with a real worker process beside the API."""

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.processes import held_ports, running
from config import Settings
from tests.conditions import PATIENCE_S, wait_until
from tests.integration.api.apps import serve, wav_bytes
from tests.integration.api.test_events import post_song, read_events

pytestmark = pytest.mark.slow

HANGING_STAGE = """
import time
from core.pipeline.stage import StageResult, TrackStage


class HangStage(TrackStage):
    name = "hang"

    def is_wanted(self, options):
        return options.playlist_name == "Hang"

    def execute(self, context):
        time.sleep(600)
        return StageResult()
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A third party's stage, as pip installs it: it hangs where the playlist is called so."""
    folder = tmp_path / "plugin"
    metadata = folder / "hanging-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "hanging.py").write_text(HANGING_STAGE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: hanging\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[stemcrate.stages]\nhang = hanging:HangStage\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """API on a socket and a worker over one data folder."""
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "SEPARATOR_MODEL": "spleeter"}
    command = [sys.executable, "-m", "cli.main", "worker"]
    with (
        (tmp_path / "worker.txt").open("wb") as out,
        subprocess.Popen(command, env=environment, stdout=out, stderr=out) as worker,
    ):
        try:
            with serve(tmp_path) as address:
                yield address
        finally:
            worker.terminate()
            worker.wait(PATIENCE_S)


def ask(address: Any, method: str, path: str, body: Any = None, headers: Any = None) -> Any:
    connection = http.client.HTTPConnection(address[0], address[1], timeout=PATIENCE_S)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def test_a_job_runs_is_told_event_by_event_and_delivers(installation: Settings) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="live.wav"\r\n\r\n'
    options = b'--b\r\nContent-Disposition: form-data; name="stages"\r\n\r\ncomposite\r\n'
    body = head + wav_bytes(3) + b"\r\n" + options + b"--b--\r\n"
    content_type = {"Content-Type": "multipart/form-data; boundary=b"}
    status, data = ask(installation, "POST", "/process", body, content_type)
    assert status == 202
    links = json.loads(data)["links"]

    # Returns when the server ends the stream, that is, with the job.
    status, data = ask(installation, "GET", links["events"])

    events = list(read_events(data.decode()))
    assert events[-1][0] == "state"
    assert events[-1][2]["state"] == "completed"
    stages = [e[2]["stage"] for e in events if e[0] == "stage" and e[2]["state"] == "completed"]
    assert stages.index("decode") < stages.index("separation")
    view = json.loads(ask(installation, "GET", links["self"])[1])
    assert (view["state"], view["fraction"], view["error"]) == ("completed", 1, None)
    status, data = ask(installation, "GET", links["zip"])
    with zipfile.ZipFile(io.BytesIO(data)) as pack:
        assert any("vocals" in name for name in pack.namelist())

    def tracks() -> Any:
        return json.loads(ask(installation, "GET", "/library/tracks")[1])["tracks"]

    wait_until(tracks)
    assert [(track["title"], track["stems"]) for track in tracks()] == [
        ("live", ["accompaniment", "vocals"])
    ]
    assert ask(installation, "DELETE", links["self"])[0] == 204
    assert tracks() == []


def test_a_plugin_that_hangs_can_be_cancelled_and_holds_nobody_up(
    plugin: Any, installation: Settings
) -> None:
    """A third party's stage that asks nothing and hears nothing kept its worker for ever."""
    links = [
        json.loads(submit_analysis(installation, name))["links"]["self"] for name in ("Hang", "Set")
    ]

    def job(link: str) -> Any:
        return json.loads(ask(installation, "GET", link)[1])

    wait_until(lambda: job(links[0])["stage"] == "hang" and job(links[0])["silent_s"] is not None)
    assert ask(installation, "POST", f"{links[0]}/cancel")[0] == 202
    wait_until(lambda: job(links[1])["state"] == "completed")
    assert job(links[0])["state"] == "cancelled"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_does_not_wait_for_event_streams(
    tmp_path: Path, number: Any
) -> None:
    log = tmp_path / "server.txt"
    command = [sys.executable, "-m", "cli.main", "api"]
    with held_ports() as (port,), log.open("wb") as out:
        environment = {
            **os.environ,
            "DATA_DIR": str(tmp_path),
            "SEPARATOR_MODEL": "spleeter",
            "API_PORT": str(port),
        }
        with running(command, env=environment, stderr=out) as server:
            address = "127.0.0.1", port
            wait_until(lambda: is_served(address), seen=log.read_text)
            connection = http.client.HTTPConnection(address[0], address[1], timeout=PATIENCE_S)
            connection.request("GET", f"/job/{post_song(*address)}/events")
            stream = connection.getresponse()
            stream.readline()
            server.send_signal(number)
            server.wait(PATIENCE_S)
            stream.read()
            connection.close()
    assert "Traceback" not in log.read_text()


def is_served(address: Any) -> Any:
    try:
        return ask(address, "GET", "/health")[0] == 200
    except OSError:
        return False


def submit_analysis(address: Any, playlist_name: Any) -> Any:
    fields = {"model": "none", "stages": "", "playlist_name": playlist_name}
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.encode(), value.encode())
        for name, value in fields.items()
    ]
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="live.wav"\r\n\r\n'
    body = b"".join([*parts, head, wav_bytes(1), b"\r\n--b--\r\n"])
    content_type = {"Content-Type": "multipart/form-data; boundary=b"}
    status, data = ask(address, "POST", "/process", body, content_type)
    assert status == 202, data
    return data
