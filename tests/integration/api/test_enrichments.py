"""Runs of the enrichers over REST: asked for, followed, and found in the track."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from core.jobs.enrichment_runner import EnrichmentRunner
from tests.integration.api.apps import open_client, services_of
from tests.library_records import make_record, track_id

TRACK = f"/library/tracks/{track_id(1)}"


@pytest.fixture
def crate(tmp_path: Path) -> Iterator[TestClient]:
    """An app whose library holds one track, and which estimates characters."""
    with open_client(tmp_path, enrichers=["character"]) as client:
        record = make_record(1, tempo_bpm=124.0, key="C major", energy=8, energy_value=8.0)
        services_of(client).library.put(record)
        yield client


def test_a_track_is_enriched(crate: TestClient) -> None:
    assert crate.get("/config").json()["enrichers"] == ["character"]
    assert crate.get(TRACK).json()["enrichment"] == {"status": "none", "outcomes": []}
    answer = crate.post("/library/enrichments", json={"track_ids": [track_id(1)]})
    assert answer.status_code == 202
    run = answer.json()
    assert answer.headers["location"] == f"/library/enrichments/{run['id']}"
    settings = services_of(crate).settings
    EnrichmentRunner(
        settings.storage(), settings.resolved_database_url(), settings.enricher_settings()
    ).run(run["id"])
    ended = crate.get(answer.headers["location"]).json()
    assert (ended["state"], ended["n_done"], ended["n_failed"]) == ("completed", 1, 0)
    found = crate.get(TRACK).json()["enrichment"]
    assert found["status"] == "done"
    assert found["outcomes"][0]["valence"]["method"] == "mode-tempo-1"
    assert "embedding" not in found["outcomes"][0]
    cancelled = crate.post(f"/library/enrichments/{run['id']}/cancel").json()
    assert cancelled["state"] == "completed"


def test_what_cannot_be_asked_for_is_refused(crate: TestClient) -> None:
    unknown = crate.post("/library/enrichments", json={"track_ids": ["nothing"]})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "track_not_found")
    by_sound = crate.get(f"{TRACK}/similar?basis=sound")
    assert by_sound.status_code == 422
    assert "No enricher has found the sound" in by_sound.json()["detail"]
    missing = crate.get("/library/enrichments/nothing").json()
    assert missing["code"] == "enrichment_not_found"


def test_without_enrichers_the_setting_is_named(tmp_path: Path) -> None:
    with open_client(tmp_path) as client:
        answer = client.post("/library/enrichments", json={"track_ids": None})
        assert answer.status_code == 422
        assert "ENRICHERS" in answer.json()["hint"]
