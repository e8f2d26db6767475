"""The audit trail: who did what, told by its lines alone."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from core.access.keys import read_key
from tests.integration.api.apps import open_client, run_here, submit
from tests.integration.api.keys import bearer, make_key


def lines(data_dir: Path) -> list[dict[str, Any]]:
    path = data_dir / "logs" / "audit.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_life_of_a_job_can_be_told(tmp_path: Path) -> None:
    with open_client(tmp_path, api_host="0.0.0.0") as client:
        key, reader = make_key(tmp_path), make_key(tmp_path, "ben", ["read"])
        client.headers.update(bearer(key))
        job_id = submit(client, stages="tempo")
        run_here(client, job_id)
        client.get(f"/job/{job_id}")
        zipped = client.get(f"/download/{job_id}/all", headers={"X-Request-ID": "r1"})
        assert zipped.status_code == 200
        client.get(f"/download/{job_id}/all", headers=bearer(reader))
        client.delete(f"/job/{job_id}", headers=bearer(reader))
        client.delete(f"/job/{job_id}", headers={"Authorization": ""})
        client.delete(f"/job/{job_id}")
    found = lines(tmp_path)
    parts = read_key(key)
    assert parts is not None
    assert [(line["owner"], line["operation"], line["status"]) for line in found] == [
        ("anna", "submit_job", 202),
        ("anna", "download_zip", 200),
        ("ben", "download_zip", 404),
        ("ben", "delete_job", 403),
        (None, None, 401),
        ("anna", "delete_job", 204),
    ]
    assert found[0]["location"] == f"/job/{job_id}"
    assert found[0]["key_id"] == parts[0]
    assert found[1]["request_id"] == "r1"
    assert found[-1]["path"] == f"/job/{job_id}"
    text = (tmp_path / "logs" / "audit.jsonl").read_text(encoding="utf-8")
    assert parts[1] not in text
    mode = (tmp_path / "logs" / "audit.jsonl").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_uploads_in_parts_and_unkeyed_requests_are_told(tmp_path: Path) -> None:
    """tus may send another method in a header: what was done counts."""
    with open_client(tmp_path) as client:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "3"}
        path = client.post("/uploads", headers=headers).headers["location"]
        client.post(path, headers={**headers, "X-HTTP-Method-Override": "DELETE"})
    assert [(line["owner"], line["operation"]) for line in lines(tmp_path)] == [
        ("local", "create_upload"),
        ("local", "delete_upload"),
    ]


def test_a_trail_that_cannot_be_written_stops_no_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_client(tmp_path) as client:
        (tmp_path / "logs" / "audit.jsonl").mkdir(parents=True)
        assert client.post("/library/collections", json={"name": "x"}).status_code == 201
    assert "audit trail lacks a line" in caplog.text
