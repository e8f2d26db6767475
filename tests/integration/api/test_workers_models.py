"""Models and devices are the workers', which may run on other machines than the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.jobs.liveness import open_liveness
from core.jobs.reporter import Reporter
from core.jobs.reports import WorkerReports
from core.pipeline.runtime import Runtime
from tests.integration.api.apps import open_client, wav_bytes
from tests.models import write_tiny_htdemucs

SONG = ("file", ("song.wav", wav_bytes(0.5)))


@contextmanager
def worker_with(client: Any, model_dir: Path) -> Iterator[Any]:
    """A worker on another machine, as far as the API can see it."""
    url = client.app.state.services.settings.resolved_database_url()
    liveness = open_liveness(url)
    liveness.hold("elsewhere")
    try:
        Reporter(WorkerReports(url), "elsewhere", Runtime(model_dir=model_dir)).look()
        yield
    finally:
        liveness.release()


def test_a_model_that_the_workers_alone_have_is_accepted(client: Any, tmp_path: Path) -> None:
    """409 for a model that the worker has: the API looked at its own disk."""
    models = write_tiny_htdemucs(tmp_path / "elsewhere", layout="hub")
    refused = client.post("/process", files=[SONG], data={"model": "htdemucs"})
    with worker_with(client, models):
        accepted = client.post("/process", files=[SONG], data={"model": "htdemucs"})
        config = client.get("/config").json()
    assert (refused.status_code, accepted.status_code) == (409, 202)
    (worker,) = config["workers"]
    assert {"htdemucs", "spleeter"} <= set(worker["models"])
    assert worker["auto"] == "htdemucs"
    assert "htdemucs" in worker["auto_reason"]
    assert worker["device_reason"]
    htdemucs = next(model for model in config["models"] if model["name"] == "htdemucs")
    assert htdemucs["available"] is True
    assert client.get("/config").json()["workers"] == []


def test_a_model_that_the_api_alone_has_is_refused(tmp_path: Path) -> None:
    """The job would have been accepted and failed on the worker."""
    models = write_tiny_htdemucs(tmp_path / "here", layout="hub")
    with (
        open_client(tmp_path, model_dir=models) as client,
        worker_with(client, tmp_path / "nothing"),
    ):
        answer = client.post("/process", files=[SONG], data={"model": "htdemucs"})
    assert answer.status_code == 409
    assert "stemcrate models fetch htdemucs" in answer.json()["hint"]


@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_auto_is_what_the_workers_choose(client: Any, tmp_path: Path, preset: str) -> None:
    with worker_with(client, tmp_path / "nothing"):
        data = {"model": "auto", "preset": preset}
        assert client.post("/process", files=[SONG], data=data).status_code == 202
        unknown = client.post("/process", files=[SONG], data={"model": "no-such-model"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_model")
