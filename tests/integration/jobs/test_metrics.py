"""What a worker tells Prometheus of its stages."""

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from bench.processes import held_ports
from tests.conditions import PATIENCE_S
from tests.integration.jobs.installation import Installation


def figures(port: int) -> dict[tuple[str, ...], float]:
    """Return the worker's samples by name and values of their labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_stages_failures_and_deaths_are_counted(house: Installation) -> None:
    with held_ports() as (port,):
        house.start_worker(metrics_port=port)
        job_id = house.submit("work=0.1", "broken", "poison")
        assert house.wait_for_end(job_id) == "completed"
        seen = figures(port)
    died = house.manifest(job_id).stage("work", 2).error
    assert died is not None
    assert seen["stemcrate_stage_seconds_count", "work", "completed"] == 1
    assert seen["stemcrate_stage_failures_total", "corrupt_audio", "work"] == 1
    assert seen["stemcrate_stage_failures_total", died.code, "work"] == 1
    assert seen["stemcrate_stage_process_deaths_total", "work"] == 3
