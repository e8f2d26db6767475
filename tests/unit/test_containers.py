"""The image and the services, held to the commands, settings and files that exist."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.main import app
from config import Settings
from scripts.setup_venv import CPU_INDEX

ROOT = Path(__file__).parents[2]
SERVICES = ("api", "worker", "ui")


def _compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def _service(name: str) -> dict[str, Any]:
    service: dict[str, Any] = _compose()["services"][name]
    return service


def _dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


def _image_settings() -> dict[str, str]:
    """Return the environment of the image, as far as it consists of settings."""
    return {
        name: value
        for name, value in re.findall(r"^\s+([A-Z_]+)=(\S+)", _dockerfile(), re.MULTILINE)
        if name.lower() in Settings.model_fields
    }


def _copied() -> list[str]:
    lines = _dockerfile().splitlines()
    return [p for line in lines if line.startswith("COPY") for p in line.split()[1:-1]]


def _interpolate(text: str, variables: dict[str, str]) -> str:
    """Replace ``${NAME:-default}`` as Compose does, from the inside out."""
    innermost = re.compile(r"\$\{(\w+):-([^{}]*)\}")
    while found := innermost.search(text):
        value = variables.get(found[1]) or found[2]
        text = text[: found.start()] + value + text[found.end() :]
    return text


def _settings_in(name: str, env_file: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a service whose ``.env`` holds these variables."""
    own = {
        key: _interpolate(str(value), env_file)
        for key, value in _service(name)["environment"].items()
    }
    for key in Settings.model_fields:
        monkeypatch.delenv(key.upper(), raising=False)
    for key, value in {**_image_settings(), **env_file, **own}.items():
        monkeypatch.setenv(key, value)
    return Settings(_env_file=None)


def _example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_dockerfile_is_clean() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    result = subprocess.run([linter, "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_every_file_that_the_image_copies_exists() -> None:
    """A renamed folder breaks the build of an image that no test builds."""
    assert [source for source in _copied() if not (ROOT / source).exists()] == []


def test_the_image_copies_every_package() -> None:
    """A new package that the Dockerfile misses breaks every command in the container."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = {pattern.rstrip("*") for pattern in setuptools["packages"]["find"]["include"]}
    modules = {f"{name}.py" for name in setuptools["py-modules"]}
    assert packages | modules <= set(_copied())


def test_the_version_of_torch_stands_once() -> None:
    """Of five copies of the version, one is forgotten by the next upgrade."""
    others = [ROOT / "Dockerfile", ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    assert [f.name for f in others if re.search(r"torch==\d", f.read_text())] == []
    index = re.findall(r"^ARG TORCH_INDEX=(\S+)", _dockerfile(), re.MULTILINE)
    assert index == [CPU_INDEX], "the image takes the build that `make setup` takes"
    pinned = re.findall(r"^torch==[0-9.]*", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert len(pinned) == 1, "the Dockerfile reads the version from there"


def test_every_service_runs_a_command_that_exists() -> None:
    """A start line of its own, as these services had, misses what the command line learns."""
    click_app = typer.main.get_command(app)
    commands = set(getattr(click_app, "commands", {}))
    assert set(_compose()["services"]) == set(SERVICES)
    for name in SERVICES:
        assert _service(name)["command"] == ["stemcrate", name]
        assert name in commands
    *_, last = re.findall(r"^CMD \[(.+)\]", _dockerfile(), re.MULTILINE)
    assert last == '"stemcrate", "serve"'


def test_every_service_restarts_keeps_its_data_and_is_watched() -> None:
    for name in SERVICES:
        service = _service(name)
        assert service["restart"] == "unless-stopped", name
        assert service["volumes"] == ["data:/data"], name
        assert name == "api" or "healthcheck" in service, "the API's check is the image's"


def test_every_service_reads_env_where_it_exists() -> None:
    """``.env`` reached no container: ALLOWED_HOSTS and DATABASE_URL changed nothing there."""
    for name in SERVICES:
        assert _service(name)["env_file"] == [{"path": ".env", "required": False}], name


def test_the_image_and_the_services_agree_where_both_set_something() -> None:
    image = _image_settings()
    assert image["DATA_DIR"] == "/data"
    for name in SERVICES:
        environment = _service(name)["environment"]
        assert set(environment) <= {field.upper() for field in Settings.model_fields}
        assert {key: environment[key] for key in image} == image


def test_the_image_alone_is_open_to_nobody() -> None:
    """`docker run --publish 8000:8000` opened everything to everyone who reaches the machine."""
    assert "ALLOW_OPEN_NETWORK" not in _image_settings()


def test_a_copied_env_example_changes_nothing_in_the_containers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says DATA_DIR=data and API_HOST=127.0.0.1: true on a laptop, fatal in a container."""
    for name in SERVICES:
        settings = _settings_in(name, _example(), monkeypatch)
        assert settings == _settings_in(name, {}, monkeypatch)
        assert settings.model_dir == settings.data_dir / "models", "on the volume"
        assert (settings.api_host, settings.api_port) == ("0.0.0.0", 8000)
        assert (settings.ui_host, settings.ui_port) == ("0.0.0.0", 8501)
        assert settings.allow_open_network
    assert settings.api_url == "http://api:8000"


def test_env_reaches_every_service(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {
        "DATABASE_URL": "postgresql+psycopg://db/stemcrate",
        "MAX_UPLOAD_BYTES": "1000000000",
        "ALLOWED_HOSTS": "stems.example.org",
    }
    for name in SERVICES:
        settings = _settings_in(name, chosen, monkeypatch)
        assert settings.database_url == chosen["DATABASE_URL"]
        assert settings.max_upload_bytes == 10**9
        assert settings.allowed_hosts == ["stems.example.org"]


def test_published_ports_follow_env_and_the_ports_inside_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """API_PORT is the port on this machine; inside, where health checks look, it stays 8000."""
    chosen = {"API_PORT": "9000"}
    assert _settings_in("ui", chosen, monkeypatch).api_url == "http://api:8000"
    assert _interpolate(_service("api")["ports"][0], chosen) == "127.0.0.1:9000:8000"


def test_ports_are_published_on_localhost_only() -> None:
    """There are no accounts: whoever opens it to a network must decide to."""
    ports = [p for s in _compose()["services"].values() for p in s.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize(
    ("builder", "expected"),
    [
        ("docker", "build --tag stemcrate:latest --build-arg TORCH_INDEX ."),
        ("buildah", "build --format docker --tag stemcrate:latest --build-arg TORCH_INDEX ."),
    ],
)
def test_make_image_calls_the_builder_that_is_here(
    tmp_path: Path, builder: str, expected: str
) -> None:
    _install(tmp_path, builder)
    made = _make_image(tmp_path, "TORCH_INDEX=https://example.org/cu126")
    assert (made.returncode, made.stdout.strip()) == (0, expected), made.stderr


def test_make_image_passes_over_a_builder_that_does_not_work(tmp_path: Path) -> None:
    """Docker's client without its daemon kept podman, which was there, from building."""
    _install(tmp_path, "docker", "exit 1")
    _install(tmp_path, "podman")
    made = _make_image(tmp_path)
    expected = "build --format docker --tag stemcrate:latest ."
    assert (made.returncode, made.stdout.strip()) == (0, expected), made.stderr


def test_make_image_says_what_is_missing(tmp_path: Path) -> None:
    """The shell's own words would be "docker: not found", which sends people off to install it."""
    made = _make_image(tmp_path)
    assert made.returncode != 0
    assert "needs docker, podman or buildah" in made.stderr


def _install(folder: Path, name: str, code: str = 'echo "$@"') -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{code}\n")
    program.chmod(0o755)


def _make_image(path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``make image`` with these programs alone on the PATH."""
    make = "/usr/bin/make"
    return subprocess.run(
        [make, "--silent", "SHELL=/bin/sh", "image", *arguments],
        cwd=ROOT,
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_cluster_shares_a_database_and_a_store_alone() -> None:
    """A common data folder would hide what several hosts lack."""
    services = yaml.safe_load((ROOT / "docker-compose.cluster.yml").read_text())["services"]
    known = {field.upper() for field in Settings.model_fields}
    for name in SERVICES:
        service = services[name]
        assert service["command"] == ["stemcrate", name]
        assert service["volumes"] == ["models:/models"], "weights, and no data"
        environment = service["environment"]
        assert {key for key in environment if not key.startswith("AWS_")} <= known
        assert environment["STORAGE_URL"].startswith("s3://")
        assert environment["DATABASE_URL"].startswith("postgresql+psycopg://")
    assert services["api"]["deploy"]["replicas"] == 2
    open_ports = [port for service in services.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in open_ports)
