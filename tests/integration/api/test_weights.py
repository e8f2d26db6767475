"""Weights fetched on request: a real API, a real worker process, a real server of files."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.processes import is_running, running
from tests.conditions import PATIENCE_S, wait_until
from tests.file_server import FileServer
from tests.integration.api.apps import open_client, wav_bytes
from tests.models import write_tiny_htdemucs, write_tiny_network

ROOT = Path(__file__).parents[3]
HUB = "adefossez/HTDemucs/resolve/main"


class House:
    """An API over a folder, and at most one worker that knows the hub under another address."""

    def __init__(self, folder: Path, server: FileServer, client: Any, stack: ExitStack) -> None:
        self.server = server
        self.client = client
        self.models = folder / "models"
        self._folder = folder
        self._stack = stack
        self.worker = self.start_worker()

    def start_worker(self) -> "subprocess.Popen[bytes]":
        proxies = ("http_proxy", "https_proxy", "all_proxy")
        kept = {key: value for key, value in os.environ.items() if key.lower() not in proxies}
        environment = {
            **kept,
            "DATA_DIR": str(self._folder / "data"),
            "MODEL_DIR": str(self.models),
            "HF_ENDPOINT": self.server.address,
            "HOME": str(self._folder),
            "REAPER_INTERVAL_S": "0.5",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "cli.main", "worker"]
        self.worker = self._stack.enter_context(running(command, cwd=self._folder, env=environment))
        wait_until(lambda: self.client.get("/config").json()["workers"])
        return self.worker

    def kill_worker(self) -> None:
        family = psutil.Process(self.worker.pid).children(recursive=True)
        self.worker.kill()
        self.worker.wait()
        wait_until(lambda: not any(map(is_running, family)))

    def give_card(self, name: str, sha256: str | None = None) -> Path:
        """Describe a network of one's own that the server has; return the published folder."""
        published = write_tiny_network(self.server.folder, "scnet", name=name) / name
        files = [
            {
                "name": file.name,
                "url": self.server.url(f"{name}/{file.name}"),
                "sha256": sha256 or hashlib.sha256(file.read_bytes()).hexdigest(),
            }
            for file in (published / "model.safetensors", published / "config.yaml")
        ]
        home = self.models / name
        home.mkdir(parents=True)
        (home / "model.json").write_text(json.dumps({"family": "scnet", "files": files}))
        wait_until(lambda: self.model(name))
        return published

    def model(self, name: str) -> Any:
        models = self.client.get("/config").json()["models"]
        return next((model for model in models if model["name"] == name), None)

    def ask(self, method: str, name: str) -> Any:
        return self.client.request(method, f"/models/{name}/weights")

    def end_of(self, name: str) -> Any:
        """Wait for the end of a download; return it, with every state and fraction before."""
        seen = []

        def has_ended() -> bool:
            seen.append(self.ask("GET", name).json())
            return seen[-1]["state"] in ("completed", "failed")

        wait_until(has_ended)
        return seen[-1], seen

    def stall(self, published: Path) -> int:
        """Let the server stop in the middle of the weights; return after how many bytes."""
        half: int = (published / "model.safetensors").stat().st_size // 2
        self.server.stalled.clear()
        self.server.ranges.clear()
        self.server.break_after, self.server.stall = half, True
        return half

    def go_on(self) -> None:
        self.server.break_after, self.server.stall = None, False

    def part_of(self, name: str, n_bytes: int) -> int:
        """Wait until so much of the weights is on disk; return how much."""
        assert self.server.stalled.wait(PATIENCE_S)
        found = wait_until(lambda: list((self.models / name).glob("model.*.part")))
        wait_until(lambda: found[0].stat().st_size >= n_bytes - 16384)
        return int(found[0].stat().st_size)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    tiny = write_tiny_htdemucs(folder / "tiny", layout="hub") / "htdemucs"
    published = folder / "published"
    (published / HUB).parent.mkdir(parents=True)
    tiny.rename(published / HUB)
    with ExitStack() as stack:
        server = stack.enter_context(FileServer(published))
        client = stack.enter_context(open_client(folder / "data", model_dir=folder / "models"))
        yield House(folder, server, client, stack)


def test_a_job_runs_with_weights_that_were_fetched_by_a_click(house: House) -> None:
    """Four stems took a terminal; and a model that had arrived was not there until a restart."""
    before = house.model("htdemucs")
    assert (before["available"], before["can_fetch"], before["fetch"]) == (False, True, None)
    assert house.client.get("/config").json()["model"]["configured"] == "spleeter"

    asked = house.ask("POST", "htdemucs")
    assert asked.status_code == 202, asked.text
    assert asked.headers["Location"] == "/models/htdemucs/weights"
    end, seen = house.end_of("htdemucs")

    assert (end["state"], end["fraction"], end["error"]) == ("completed", 1.0, None)
    assert end["done_bytes"] == end["total_bytes"] > 100_000
    assert seen[0]["state"] in ("queued", "running", "completed")
    after = house.model("htdemucs")
    assert (after["available"], after["can_fetch"], after["fetch"]) == (True, False, None)
    (worker,) = house.client.get("/config").json()["workers"]
    assert worker["auto"] == "htdemucs"
    again = house.ask("POST", "htdemucs")
    assert (again.status_code, again.json()["state"]) == (200, "completed")

    files = [("file", ("song.wav", wav_bytes(1.0)))]
    data = {"model": "htdemucs", "stages": "composite", "recipes": "main"}
    job_id = house.client.post("/process", files=files, data=data).json()["job_id"]
    job = wait_until(lambda: ended_job(house, job_id))
    assert job["state"] == "completed", job["error"]
    outputs = house.client.get(f"/job/{job_id}/outputs").json()["artefacts"]
    assert {a["label"] for a in outputs} >= {"vocals", "drums", "bass", "other"}


def ended_job(house: House, job_id: str) -> Any:
    job = house.client.get(f"/job/{job_id}").json()
    return job if job["state"] in ("completed", "failed") else None


def test_a_download_outlives_its_worker(house: House) -> None:
    """SIGKILL in the middle: the next worker goes on with the part that is there."""
    published = house.give_card("lasting")
    half = house.stall(published)
    first = house.ask("POST", "lasting").json()
    kept = house.part_of("lasting", half)
    assert house.ask("POST", "lasting").json()["created_at"] == first["created_at"]
    house.kill_worker()

    assert house.ask("GET", "lasting").json()["state"] == "running"
    told = house.model("lasting")
    assert (told["available"], told["fetch"]["state"]) == (False, "running")
    assert not (house.models / "lasting" / "model.safetensors").exists()
    house.go_on()
    house.start_worker()

    end, seen = house.end_of("lasting")
    assert end["state"] == "completed", end["error"]
    assert house.server.ranges == [f"bytes={kept}-"]
    fractions = [one["fraction"] for one in seen if one["fraction"] is not None]
    assert fractions == sorted(fractions)
    original = published / "model.safetensors"
    assert (house.models / "lasting" / original.name).read_bytes() == original.read_bytes()
    assert house.model("lasting")["available"]


def test_a_cancelled_download_leaves_no_model(house: House) -> None:
    """The server had stalled: cancel waited for its next byte, and the next download with it."""
    published = house.give_card("unwanted")
    half = house.stall(published)
    house.ask("POST", "unwanted")
    kept = house.part_of("unwanted", half)
    family = psutil.Process(house.worker.pid).children(recursive=True)
    (child,) = (one for one in family if has_open(one, "unwanted"))

    assert house.ask("DELETE", "unwanted").status_code == 204

    wait_until(lambda: not is_running(child))
    house.go_on()
    for method in ("GET", "DELETE"):
        gone = house.ask(method, "unwanted")
        assert (gone.status_code, gone.json()["code"]) == (404, "fetch_not_found")
    told = house.model("unwanted")
    assert (told["available"], told["can_fetch"], told["fetch"]) == (False, True, None)
    assert not (house.models / "unwanted" / "model.safetensors").exists()
    house.ask("POST", "unwanted")
    assert house.end_of("unwanted")[0]["state"] == "completed"
    assert house.server.ranges == [f"bytes={kept}-"]


def has_open(process: psutil.Process, word: str) -> bool:
    return any(f"/{word}/" in file.path for file in process.open_files())


def test_weights_with_another_checksum_are_refused(house: House) -> None:
    house.give_card("forged", sha256="0" * 64)
    house.ask("POST", "forged")
    end, _ = house.end_of("forged")
    assert (end["state"], end["error"]["code"]) == ("failed", "unsafe_weights")
    assert end["error"]["hint"]
    told = house.model("forged")
    assert (told["available"], told["fetch"]["error"]) == (False, end["error"])
    assert [file.name for file in (house.models / "forged").iterdir() if file.stat().st_size] == [
        "model.json"
    ]
    refused = house.client.post(
        "/process", files=[("file", ("a.wav", wav_bytes(0.5)))], data={"model": "forged"}
    )
    assert refused.status_code == 409


def test_what_cannot_be_reached_fails_with_what_to_do(house: House) -> None:
    house.ask("POST", "htdemucs_ft")
    end, _ = house.end_of("htdemucs_ft")
    assert (end["state"], end["error"]["code"]) == ("failed", "model_unavailable")
    assert "Check the network" in end["error"]["hint"]
    again = house.ask("POST", "htdemucs_ft")
    assert again.status_code == 202, "who asks again tries again"
    assert house.end_of("htdemucs_ft")[0]["state"] == "failed"


@pytest.mark.parametrize("name", ["no-such-model", "https:%2F%2Fexample.org%2Fx", "..%2Fjobs"])
def test_only_models_that_are_known_can_be_fetched(house: House, name: str) -> None:
    """A server that downloads whatever it is told opens the network behind it."""
    n_requests = house.server.n_requests
    answer = house.ask("POST", name)
    assert answer.status_code in (404, 422)
    assert answer.json()["code"] in ("unknown_model", "not_found")
    assert house.server.n_requests == n_requests


def test_a_model_that_nobody_publishes_says_what_to_do(house: House) -> None:
    home = house.models / "private"
    home.mkdir(parents=True)
    files = [{"name": "config.yaml"}, {"name": "model.safetensors"}]
    (home / "model.json").write_text(json.dumps({"family": "scnet", "files": files}))
    wait_until(lambda: house.model("private"))
    answer = house.ask("POST", "private")
    assert (answer.status_code, answer.json()["code"]) == (409, "model_unavailable")
    assert "MODEL_DIR" in answer.json()["hint"]


def test_a_full_disk_refuses_a_download(tmp_path: Path) -> None:
    with open_client(tmp_path, min_free_bytes=10**18) as client:
        answer = client.post("/models/htdemucs/weights")
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
