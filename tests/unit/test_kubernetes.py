"""The manifests in `deploy/kubernetes`: valid, hardened, in step with settings and commands."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from config import Settings
from tests.programs import find, requires

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSION = "1.33"
SCALING = "keda.sh/v1alpha1"
PODS = ("Deployment", "StatefulSet", "Job")
NOT_SETTINGS = {
    "HOME",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
}
COMMANDS = (["stemcrate", "api"], ["stemcrate", "ui"], ["stemcrate", "worker"])


def kustomizations() -> dict[Path, Any]:
    return {
        path.parent: yaml.safe_load(path.read_text()) for path in FOLDER.rglob("kustomization.yaml")
    }


def manifests() -> Iterator[tuple[str, Any]]:
    """Yield each object of Kubernetes with its file's name."""
    for path in sorted(FOLDER.rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            for found in yaml.safe_load_all(path.read_text()):
                yield f"{path.relative_to(FOLDER)} {found['kind']}", found


MANIFESTS = dict(manifests())
WORKLOADS = {name: found for name, found in MANIFESTS.items() if found["kind"] in PODS}


def containers() -> Iterator[tuple[str, Any]]:
    for name, found in WORKLOADS.items():
        spec = found["spec"]["template"]["spec"]
        for container in (*spec["containers"], *spec.get("initContainers", ())):
            yield f"{name} {container['name']}", container


CONTAINERS = dict(containers())


@pytest.mark.parametrize("name", [n for n, m in MANIFESTS.items() if m["apiVersion"] != SCALING])
def test_a_manifest_is_what_kubernetes_takes(name: str) -> None:
    kubernetes_validate.validate(MANIFESTS[name], VERSION, strict=True)


def test_every_file_belongs_to_a_kustomization_and_every_resource_is_there() -> None:
    used = set()
    for folder, kustomization in kustomizations().items():
        for resource in kustomization["resources"]:
            path = (folder / resource).resolve()
            assert path.exists(), path
            used.add(path)
    files = {path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml"}
    assert files <= used


@pytest.mark.parametrize("name", WORKLOADS)
def test_no_pod_may_more_than_it_has_to(name: str) -> None:
    spec = WORKLOADS[name]["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_no_container_writes_outside_its_volumes(name: str) -> None:
    container = CONTAINERS[name]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} <= container["resources"].keys()


@pytest.mark.parametrize("name", [n for n, m in WORKLOADS.items() if m["kind"] == "Deployment"])
def test_a_service_is_watched_and_keeps_one_when_nodes_are_drained(name: str) -> None:
    found = WORKLOADS[name]
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert container["command"] in COMMANDS
    assert {"livenessProbe", "startupProbe"} <= container.keys()
    ports = {port["name"] for port in container["ports"]}
    for probe in ("livenessProbe", "startupProbe", "readinessProbe"):
        assert container.get(probe, container["livenessProbe"])["httpGet"]["port"] in ports
    budgets = [m["spec"] for m in MANIFESTS.values() if m["kind"] == "PodDisruptionBudget"]
    assert any(budget["selector"] == found["spec"]["selector"] for budget in budgets)


def test_no_setting_has_a_name_of_its_own() -> None:
    """A variable that nobody reads looks as if it did something."""
    given = {
        e["name"]
        for c in CONTAINERS.values()
        if "stemcrate" in c["image"]
        for e in c.get("env", ())
    }
    for kustomization in kustomizations().values():
        for generator in ("configMapGenerator", "secretGenerator"):
            for generated in kustomization.get(generator, ()):
                if generated["name"] == "stemcrate":
                    given |= {literal.partition("=")[0] for literal in generated["literals"]}
    known = {name.upper() for name in Settings.model_fields}
    assert given - known - NOT_SETTINGS == set()


def test_scaling_names_workers_that_are_there() -> None:
    names = {found["metadata"]["name"] for found in WORKLOADS.values()}
    scaled = [m for m in MANIFESTS.values() if m["kind"] == "ScaledObject"]
    assert scaled
    assert {found["spec"]["scaleTargetRef"]["name"] for found in scaled} <= names


@requires("kubectl")
@pytest.mark.parametrize("overlay", ["trial", "production"])
def test_an_overlay_is_built(overlay: str) -> None:
    command = [str(find("kubectl")), "kustomize", str(FOLDER / overlay)]
    built = subprocess.run(command, capture_output=True, text=True, check=True)
    found = list(yaml.safe_load_all(built.stdout))
    assert {"Deployment", "Service", "NetworkPolicy", "ConfigMap"} <= {m["kind"] for m in found}
    assert all(m["metadata"]["namespace"] == "stemcrate" for m in found)
