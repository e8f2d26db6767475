"""A job from upload to ZIP as a client sees it, with a real worker process beside the API."""

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile

import pytest

from tests.conditions import wait_until
from tests.integration.api.apps import serve, wav_bytes
from tests.integration.api.test_events import post_song, read_events


@pytest.fixture
def installation(tmp_path):
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
            worker.wait(30)


def ask(address, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(*address, timeout=120)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


@pytest.mark.slow
def test_a_job_runs_is_told_event_by_event_and_delivers(installation):
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

    def tracks():
        return json.loads(ask(installation, "GET", "/library/tracks")[1])["tracks"]

    wait_until(tracks)
    assert [(track["title"], track["stems"]) for track in tracks()] == [
        ("live", ["accompaniment", "vocals"])
    ]
    assert ask(installation, "DELETE", links["self"])[0] == 204
    assert tracks() == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_does_not_wait_for_event_streams(tmp_path, number):
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "SEPARATOR_MODEL": "spleeter"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    command = [sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app_from_environment"]
    command += ["--port", str(address[1]), "--log-level", "warning"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as server:
        try:
            wait_for(address)
            connection = http.client.HTTPConnection(*address, timeout=60)
            connection.request("GET", f"/job/{post_song(*address)}/events")
            stream = connection.getresponse()
            stream.readline()
            server.send_signal(number)
            _, messages = server.communicate(timeout=8)
            stream.read()
            connection.close()
        finally:
            server.kill()
    assert b"Traceback" not in messages


def wait_for(address):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return ask(address, "GET", "/health")
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("the server does not come up")
