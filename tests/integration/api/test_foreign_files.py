"""What strangers sent is opened in processes of their own: the API lives on, whatever it is."""

import http.client
import io
import os
import signal
import struct
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient

from tests.conditions import wait_until
from tests.integration.api.apps import (
    files_below,
    open_client,
    run_here,
    serve,
    services_of,
    sweep,
    wav_bytes,
)
from tests.integration.api.server_that_tells import FOREIGN
from tests.processes import held_ports, running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def make_bomb(n_frames: int = 200_000) -> bytes:
    """Make an MP3 whose tag has so many frames that libraries take minutes: 3.9 MB, 108 s."""
    texts = (b"\0k%06d\0v" % number for number in range(n_frames))
    tag = b"".join(b"TXXX" + struct.pack(">IH", len(text), 0) + text for text in texts)
    size = bytes((len(tag) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    header = b"\xff\xfb\x90\x00"
    return b"ID3\3\0\0" + size + tag + (header + b"\0" * 413) * 20


def post(client: TestClient, name: str, data: bytes, path: str = "/process") -> Any:
    return client.post(path, files=[("file", (name, data))])


def test_the_server_loads_no_library_that_opens_files(tmp_path: Path) -> None:
    """A decoder in the API's process is one damaged file away from taking all requests with it."""
    with open_client(tmp_path) as client:
        job = post(client, "Band - Song.wav", wav_bytes(1.0), "/library/tracks").json()["job"]
        run_here(client, job["job_id"])
        sweep(client)
        (track,) = client.get("/library/tracks").json()["tracks"]
        order = {"name": "Set", "tracks": [track["id"]]}
        pack = client.post("/playlists", json=order).json()["exports"]["pack"]
    with held_ports() as (port,):
        command = [sys.executable, "-m", "tests.integration.api.server_that_tells", tmp_path, port]
        with running(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}):
            base = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(base))
            song = {"file": ("new.wav", wav_bytes(0.5, seed=3))}
            assert requests.post(f"{base}/process", files=song, timeout=120).status_code == 202
            song = {"file": ("other.wav", wav_bytes(0.5, seed=4))}
            added = requests.post(f"{base}/library/tracks", files=song, timeout=120)
            assert added.status_code == 202
            entered = f"{base}/library/tracks/from-job/{job['job_id']}"
            assert requests.post(entered, timeout=120).status_code == 200
            download = requests.get(base + pack, timeout=120)
            with zipfile.ZipFile(io.BytesIO(download.content)) as files:
                assert files.testzip() is None
            for path in ("/config", "/health", f"/library/tracks/{track['id']}"):
                assert requests.get(base + path, timeout=120).status_code == 200
            assert requests.get(f"{base}/loaded", timeout=120).json() == []
    assert "soundfile" in FOREIGN


def answers(base: str) -> bool:
    try:
        return requests.get(f"{base}/loaded", timeout=10).ok
    except requests.ConnectionError:
        return False


def test_a_file_that_holds_its_reader_is_refused_and_others_are_served(tmp_path: Path) -> None:
    """3.9 MB held a thread of the API for 108 s; forty of them held all."""
    bomb = make_bomb()
    with open_client(tmp_path, probe_timeout_s=3.0, probe_processes=1) as client:
        answers: list[Any] = []
        threads = [
            threading.Thread(target=lambda: answers.append(post(client, "tags.mp3", bomb)))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        probing = services_of(client).probing
        wait_until(lambda: probing.statistics().borrowed_tokens == 1)
        assert client.get("/health").status_code == 200
        assert client.get("/jobs").json()["jobs"] == []
        for thread in threads:
            thread.join()
        for answer in answers:
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (422, "unreadable_audio")
            assert problem["detail"] == "tags.mp3 could not be read within 3 s."
            assert "export it again" in problem["hint"]
        assert files_below(tmp_path / "uploads") == []
        assert post(client, "song.wav", wav_bytes(0.5)).status_code == 202


def test_a_reader_that_crashes_is_a_fault_of_its_file(tmp_path: Path) -> None:
    """A decoder that hits a broken pointer ends its process: that must not be the API's."""
    with open_client(tmp_path, probe_processes=1) as client:
        answers: list[Any] = []
        thread = threading.Thread(
            target=lambda: answers.append(post(client, "tags.mp3", make_bomb(), "/library/tracks"))
        )
        thread.start()
        services = services_of(client)
        wait_until(lambda: services.probing.statistics().borrowed_tokens == 1)
        (process,) = services.prober._processes
        # The pid is there before the decoders are loaded, which a crash must survive, too.
        pid = wait_until(lambda: process.pid)
        assert pid is not None
        os.kill(pid, signal.SIGSEGV)
        thread.join()
        (refused,) = answers[0].json()["refused"]
        assert refused["code"] == "unreadable_audio"
        assert "SIGSEGV" in refused["detail"]
        assert files_below(tmp_path / "uploads") == []
        assert post(client, "song.wav", wav_bytes(0.5)).status_code == 202


def test_packs_have_places_and_a_client_that_leaves_frees_its_place(tmp_path: Path) -> None:
    """A pack encodes for minutes: many at a time would take every core from everybody."""
    with open_client(tmp_path) as client:
        job = post(client, "long.wav", wav_bytes(60.0, sample_rate=44_100)).json()
        run_here(client, job["job_id"])
        sweep(client)
        (track,) = client.get("/library/tracks").json()["tracks"]
        order = {"name": "Set", "tracks": [track["id"]]}
        url = client.post("/playlists", json=order).json()["exports"]["pack"]
    with serve(tmp_path, pack_processes=1) as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=120)
        connection.request("GET", url)
        answer = connection.getresponse()
        assert answer.read(4) == b"PK\3\4"
        busy = requests.get(f"http://{host}:{port}{url}", timeout=120)
        assert (busy.status_code, busy.json()["code"]) == (503, "server_busy")
        assert busy.headers["Retry-After"].isdigit()
        answer.close()
        connection.close()
        wait_until(lambda: not list((tmp_path / "downloads").iterdir()))
        again = requests.get(f"http://{host}:{port}{url}", timeout=120)
        with zipfile.ZipFile(io.BytesIO(again.content)) as files:
            assert any(name.startswith("STEM/") for name in files.namelist())
