"""The alerts: by Prometheus' own tests of rules, and by a real one that watches a real API."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from bench.databases import Server
from bench.processes import held_ports, running
from tests.conditions import wait_until
from tests.integration.api.apps import serve
from tests.programs import find, requires

FOLDER = Path(__file__).parents[3] / "deploy" / "prometheus"
RULES = FOLDER / "alerts.yml"
HAPPENINGS = FOLDER / "alerts.test.yml"


def alerts() -> dict[str, Any]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


@requires("promtool")
def test_each_alert_comes_and_stays_away_as_it_should() -> None:
    command = [str(find("promtool")), "test", "rules", str(HAPPENINGS)]
    tried = subprocess.run(command, capture_output=True, text=True)
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_none_is_left_out() -> None:
    tests = yaml.safe_load(HAPPENINGS.read_text())["tests"]
    for made in tests:
        fired = {t["alertname"] for t in made["alert_rule_test"]}
        assert fired == alerts().keys(), made["name"]
    assert {
        t["alertname"] for t in tests[1]["alert_rule_test"] if t.get("exp_alerts")
    } == alerts().keys()


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Any]:
    """Start a Prometheus that watches an API, with alerts that do not wait."""

    def start(api: str, port: int) -> "subprocess.Popen[Any]":
        rules = yaml.safe_load(RULES.read_text())
        for rule in rules["groups"][0]["rules"]:
            rule.pop("for", None)
        (tmp_path / "alerts.yml").write_text(yaml.safe_dump(rules))
        config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"] = config["scrape_configs"][:1]
        config["scrape_configs"][0]["static_configs"] = [{"targets": [api]}]
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = [
            find("prometheus"),
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        return stack.enter_context(
            running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )

    with ExitStack() as stack:
        yield start


@pytest.mark.slow
@requires("prometheus", "postgresql")
def test_a_lost_database_and_missing_workers_are_told(
    tmp_path: Path, prometheus: Any, postgres: Server
) -> None:
    with (
        serve(tmp_path / "data", database_url=postgres.url) as (host, api_port),
        held_ports(1) as (port,),
    ):
        prometheus(f"{host}:{api_port}", port)

        def firing() -> set[str]:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/alerts")
            except httpx.TransportError:
                return set()
            if answer.status_code != 200:  # it is starting
                return set()
            found = answer.json()["data"]["alerts"]
            return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}

        wait_until(lambda: "StemcrateNoWorker" in firing())
        assert "StemcrateDatabaseDown" not in firing()
        postgres.stop()
        wait_until(lambda: "StemcrateDatabaseDown" in firing())
        postgres.start()
        wait_until(lambda: "StemcrateDatabaseDown" not in firing())
        assert "StemcrateDown" not in firing()
