"""Figures for Prometheus, probes, and the alerts and dashboard that are made of them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bench.databases import Server
from tests.integration.api.apps import open_client, submit
from tests.programs import requires

DEPLOY = Path("deploy")
OF_WORKERS = {
    "stemcrate_stage_seconds",
    "stemcrate_stage_cache_hits",
    "stemcrate_stage_failures",
    "stemcrate_stage_process_deaths",
}
"""`tests/integration/jobs/test_metrics.py` sees them come from a worker."""


def figures(client: Any) -> dict[tuple[str, ...], float]:
    """Return the samples by name and values of their labels."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_their_route(tmp_path: Path) -> None:
    with open_client(tmp_path) as client:
        job_id = submit(client)
        for _ in range(3):
            client.get(f"/job/{job_id}")
        client.get("/job/none")
        client.get("/nowhere")
        seen = figures(client)
    assert seen["stemcrate_http_requests_total", "GET", "/job/{id}", "200"] == 3
    assert seen["stemcrate_http_requests_total", "GET", "/job/{id}", "404"] == 1
    assert seen["stemcrate_http_requests_total", "GET", "none", "404"] == 1
    assert seen["stemcrate_http_requests_total", "POST", "/process", "202"] == 1
    assert seen["stemcrate_http_response_seconds_count", "GET", "/job/{id}"] == 4
    assert not any(job_id in label for key in seen for label in key)


def test_what_waits_without_a_worker_is_told(tmp_path: Path) -> None:
    with open_client(tmp_path, min_free_bytes=1) as client:
        assert figures(client)["stemcrate_queue_oldest_seconds", "jobs"] == 0
        submit(client, "a.wav")
        submit(client, "b.wav")
        seen = figures(client)
    assert seen["stemcrate_queue_tasks", "jobs", "waiting"] == 2
    assert seen["stemcrate_queue_tasks", "jobs", "running"] == 0
    assert seen["stemcrate_queue_tasks", "gpu", "waiting"] == 0
    assert seen["stemcrate_owner_queue_tasks", "local", "jobs", "waiting"] == 2
    assert 0 <= seen["stemcrate_owner_queue_oldest_seconds", "local", "jobs"] < 3600
    assert 0 <= seen["stemcrate_queue_oldest_seconds", "jobs"] < 3600
    assert seen["stemcrate_workers",] == 0
    assert seen["stemcrate_database_up",] == 1
    assert seen["stemcrate_disk_min_free_bytes",] == 1
    assert 1 < seen["stemcrate_disk_free_bytes",] <= seen["stemcrate_disk_bytes",]


@requires("postgresql")
def test_a_database_that_is_away_is_a_figure_and_not_ready(
    tmp_path: Path, postgres: Server
) -> None:
    with open_client(tmp_path, database_url=postgres.url) as client:
        assert figures(client)["stemcrate_database_up",] == 1
        postgres.stop()
        seen = figures(client)
        assert client.get("/livez").status_code == 204
        answer = client.get("/readyz")
    assert seen["stemcrate_database_up",] == 0
    assert ("stemcrate_workers",) not in seen
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert "retry-after" in answer.headers


def test_a_process_with_its_database_is_ready(shared: Any) -> None:
    for probe in ("/livez", "/readyz"):
        answer = shared.get(probe)
        assert (answer.status_code, answer.content) == (204, b"")


def expressions() -> dict[str, str]:
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    dashboard = json.loads((DEPLOY / "grafana" / "stemcrate.json").read_text())
    return {
        **{rule["alert"]: rule["expr"] for group in alerts["groups"] for rule in group["rules"]},
        **{
            f"{panel['title']} {target['refId']}": target["expr"]
            for panel in dashboard["panels"]
            for target in panel["targets"]
        },
    }


@pytest.mark.parametrize("name", expressions())
def test_alerts_and_dashboard_ask_for_what_there_is(shared: Any, name: str) -> None:
    shared.get("/health")
    families = text_string_to_metric_families(shared.get("/metrics").text)
    known = OF_WORKERS | {family.name for family in families}
    asked = set(re.findall(r"\b(?:stemcrate|process)_\w+", expressions()[name]))
    bare = {re.sub(r"_(total|bucket|count|sum)$", "", metric) for metric in asked}
    assert bare <= known
