"""Apps of the tests, and one job that is really finished."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.integration.api.apps import open_client, run_here, wav_bytes


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """An app of this test's own."""
    with open_client(tmp_path) as client:
        yield client


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An app that tests read from, and leave as it is."""
    with open_client(tmp_path_factory.mktemp("shared")) as client:
        yield client


@pytest.fixture(scope="session")
def finished(shared: Any) -> Any:
    """A job of two tracks that ran to its end in this process; its view as the API gives it."""
    files = [
        ("file", ("Artist - Nacht & Träume #1.wav", wav_bytes(2.5, seed=1))),
        ("file", ("second.wav", wav_bytes(2.0, seed=2))),
    ]
    data = {"stages": "composite,tempo,key,waveform,playlist", "recipes": "acapella"}
    job_id = shared.post("/process", files=files, data=data).json()["job_id"]
    run_here(shared, job_id)
    return shared.get(f"/job/{job_id}").json()
