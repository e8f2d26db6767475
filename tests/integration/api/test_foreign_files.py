"""What strangers sent is opened in processes of their own: the API lives on, whatever it is."""

import http.client
import io
import os
import signal
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient

from bench.processes import held_ports, running
from tests.conditions import PATIENCE_S, wait_until
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
from tests.tag_floods import matroska, silent_mp3

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


N_ENTRIES = 100_000
"""Entries of a Matroska file's tags, for which FFmpeg takes more than a minute."""


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
            player = requests.get(f"{base}/job/{job['job_id']}/tracks/0/player", timeout=120).json()
            lane = player["lanes"][0]
            pieces = [lane["segments_url"].format(segment=0), lane["waveform_url"]]
            pieces += [lane["bands_url"], lane["spectrogram_url"]]
            for path in ("/config", "/health", f"/library/tracks/{track['id']}", *pieces):
                assert requests.get(base + path, timeout=120).status_code == 200
            assert requests.get(f"{base}/loaded", timeout=120).json() == []
    assert "soundfile" in FOREIGN


def answers(base: str) -> bool:
    try:
        return requests.get(f"{base}/loaded", timeout=10).ok
    except requests.ConnectionError:
        return False


def test_a_file_that_holds_its_reader_is_refused_and_others_are_served(tmp_path: Path) -> None:
    """Tags of 4 MB held a thread of the API for 108 s; forty of them held all."""
    bomb = matroska(N_ENTRIES)
    with open_client(tmp_path, probe_timeout_s=3.0, probe_processes=1) as client:
        answers: list[Any] = []
        threads = [
            threading.Thread(target=lambda: answers.append(post(client, "tags.mka", bomb)))
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
            assert problem["detail"] == "tags.mka could not be read within 3 s."
            assert "export it again" in problem["hint"]
        assert files_below(tmp_path / "uploads") == []
        assert post(client, "song.wav", wav_bytes(0.5)).status_code == 202


def test_a_reader_that_crashes_is_a_fault_of_its_file(tmp_path: Path) -> None:
    """A decoder that hits a broken pointer ends its process: that must not be the API's."""
    bomb = matroska(N_ENTRIES)
    with open_client(tmp_path, probe_processes=1) as client:
        answers: list[Any] = []
        thread = threading.Thread(
            target=lambda: answers.append(post(client, "tags.mka", bomb, "/library/tracks"))
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


def test_many_files_with_floods_of_tags_are_taken_beside_others(tmp_path: Path) -> None:
    """44 of them (172 MB) ended the API: no answer from /health, not even after SIGTERM."""
    flood = silent_mp3(200_000)
    with held_ports() as (port,):
        base = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            "API_PORT": str(port),
            "DATA_DIR": str(tmp_path),
            "MIN_FREE_BYTES": "0",
            "PYTHONPATH": str(ROOT),
            "SEPARATOR_MODEL": "spleeter",
        }
        command = [sys.executable, "-m", "cli.main", "api"]
        with running(command, cwd=tmp_path, env=environment) as process:
            wait_until(lambda: is_healthy(base))
            answers: list[requests.Response] = []

            def send(number: int) -> None:
                song = {"file": (f"{number}.mp3", flood + bytes([number]))}
                answers.append(requests.post(f"{base}/process", files=song, timeout=300))

            threads = [threading.Thread(target=send, args=(number,)) for number in range(44)]
            for thread in threads:
                thread.start()
            n_looks = 0
            while any(thread.is_alive() for thread in threads):
                assert requests.get(f"{base}/health", timeout=15).status_code == 200
                n_looks += 1
            assert n_looks > 1
            assert [answer.status_code for answer in answers] == [202] * 44
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
    # The worker reads the same files: its only place for them was held for 121 s each.
    job_id = answers[0].json()["job_id"]
    with open_client(tmp_path) as client:
        run_here(client, job_id)
        (track,) = client.get(f"/job/{job_id}").json()["tracks"]
        assert track["state"] == "completed"
        manifest = client.get(f"/job/{job_id}/manifest").json()
        (decode,) = [s for s in manifest["tracks"][0]["stages"] if s["name"] == "decode"]
        assert any("its tags were not read" in found["message"] for found in decode["warnings"])


def is_healthy(base: str) -> bool:
    try:
        return requests.get(f"{base}/health", timeout=10).ok
    except requests.ConnectionError:
        return False


def test_waiting_requests_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of requests that wait lie on the disk: they may not become any number."""
    monkeypatch.setattr("api.places.MAX_WAITING", 0)
    with open_client(tmp_path) as client:
        services = services_of(client)
        finished = post(client, "song.wav", wav_bytes(0.5))
        busy = [
            finished,
            client.post("/library/tracks/from-job/unknown"),
        ]
        for answer in busy:
            assert (answer.status_code, answer.json()["code"]) == (503, "server_busy")
            assert answer.headers["Retry-After"].isdigit()
        assert services.probing.statistics().borrowed_tokens == 0
        assert files_below(tmp_path / "uploads") == []
