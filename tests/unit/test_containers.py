"""The image and the services: linted, since nothing here can build them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def _compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_the_dockerfile_is_clean() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    result = subprocess.run([linter, "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_every_file_that_the_image_copies_exists() -> None:
    """A renamed folder breaks the build of an image that no test builds."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    sources = [p for line in lines if line.startswith("COPY") for p in line.split()[1:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_every_service_restarts_keeps_its_data_and_is_watched() -> None:
    compose = _compose()
    assert set(compose["services"]) == {"api", "worker", "ui"}
    for name, service in compose["services"].items():
        assert service["restart"] == "unless-stopped", name
        assert service["volumes"] == ["data:/data"], name
        assert name == "api" or "healthcheck" in service, "the API's check is the image's"


def test_ports_are_published_on_localhost_only() -> None:
    """There are no accounts: whoever opens it to a network must decide to."""
    ports = [p for s in _compose()["services"].values() for p in s.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
