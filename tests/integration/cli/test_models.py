"""stemcrate models as a user runs it: real processes, a real server, a real kill."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.processes import running
from tests.conditions import PATIENCE_S, wait_until
from tests.file_server import FileServer
from tests.models import write_tiny_htdemucs, write_tiny_network
from tests.signals import make_song, write_song

ROOT = Path(__file__).parents[3]


def _environment(tmp_path: Path) -> dict[str, str]:
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    kept = {key: value for key, value in os.environ.items() if key.lower() not in proxies}
    places = {
        "DATA_DIR": str(tmp_path / "data"),
        "MODEL_DIR": str(tmp_path / "models"),
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    return kept | places


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "cli.main", *map(str, arguments)]


def _stemcrate(tmp_path: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        _command(*arguments),
        cwd=tmp_path,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
    )


def _listed(tmp_path: Path) -> dict[str, Any]:
    result = _stemcrate(tmp_path, "models", "list", "--json")
    assert result.returncode == 0, result.stderr
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


def test_models_of_ones_own_are_listed_with_where_they_come_from(tmp_path: Path) -> None:
    """Weights without licence and source cannot be shared, nor told from tampered ones."""
    models = tmp_path / "models"
    card = {"licence": "CC BY-NC 4.0", "source": "https://example.org/scnet"}
    write_tiny_network(models, "scnet", name="mine", card=card)
    write_tiny_network(models, "mdx23c", name="bare")
    damaged = {
        "files": [{"name": "config.yaml"}, {"name": "model.safetensors", "sha256": "0" * 64}]
    }
    write_tiny_network(models, "scnet", name="damaged", card=damaged)
    write_tiny_network(models, "scnet", name="odd", card={"license": "MIT"})
    write_tiny_htdemucs(models, name="bag", layout="hub")
    (models / "bag" / "model.json").write_text(json.dumps(card))
    listed = _listed(tmp_path)
    rows = {model["name"]: model for model in listed["models"]}
    assert set(rows) >= {"mine", "bare", "damaged", "bag", "spleeter", "htdemucs"}
    mine = rows["mine"]
    assert (mine["licence"], mine["source"]) == (card["licence"], card["source"])
    assert (mine["family"], mine["stems"]) == ("scnet", ["vocals", "other"])
    digests = [
        hashlib.sha256((models / "mine" / name).read_bytes()).hexdigest()
        for name in ("model.safetensors", "config.yaml")
    ]
    both = "".join(f"{digest}\n" for digest in digests).encode()
    assert mine["sha256"] == hashlib.sha256(both).hexdigest()
    assert rows["bag"]["source"] == card["source"]
    assert rows["bare"]["licence"].startswith("Unknown")
    assert not rows["damaged"]["available"]
    assert "SHA-256" in rows["damaged"]["status"]
    assert rows["damaged"]["sha256"] is None
    assert "license" in listed["refused"]["odd"]
    table = _stemcrate(tmp_path, "models", "list")
    assert f"mine: from {card['source']}, SHA-256 {mine['sha256']}" in table.stdout
    assert "odd is left out" in table.stderr


def test_a_job_with_a_model_of_ones_own_says_what_made_it(tmp_path: Path) -> None:
    """The manifest is the record: stems without the licence of their weights cannot be sold."""
    card = {"licence": "CC BY-NC 4.0", "source": "https://example.org/net"}
    write_tiny_network(tmp_path / "models", "mel_band_roformer", card=card)
    song = write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100)
    result = _stemcrate(tmp_path, "process", song, "--model", "mine", "--stages", "tempo", "--json")
    assert result.returncode == 0, result.stderr
    job = json.loads(result.stdout)
    manifest = json.loads(Path(job["manifest"]).read_text())
    row = next(model for model in _listed(tmp_path)["models"] if model["name"] == "mine")
    assert manifest["model"]["licence"] == card["licence"]
    assert manifest["model"]["weights_sha256"] == row["sha256"]
    assert job["tracks"][0]["analysis"]["null_test"]["folded_into"] == "other"


def test_a_killed_fetch_goes_on_where_it_was(tmp_path: Path) -> None:
    """A laptop is closed in the middle of a gigabyte: the next call asks for the rest alone."""
    published = write_tiny_network(tmp_path / "published", "scnet") / "mine"
    weights = published / "model.safetensors"
    half = weights.stat().st_size // 2
    home = tmp_path / "models" / "mine"
    home.mkdir(parents=True)
    with FileServer(published) as server:
        files = [
            {
                "name": file.name,
                "url": server.url(file.name),
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            }
            for file in (weights, published / "config.yaml")
        ]
        (home / "model.json").write_text(json.dumps({"family": "scnet", "files": files}))
        server.break_after, server.stall = half, True
        part = home / f"model.safetensors.{files[0]['sha256'][:16]}.part"
        with running(
            _command("models", "fetch", "mine"),
            cwd=tmp_path,
            env=_environment(tmp_path),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ):
            assert server.stalled.wait(PATIENCE_S)
            _wait_for_bytes(part, half - 16384)
        kept = part.stat().st_size
        assert not (home / "model.safetensors").exists()
        server.break_after = None
        result = _stemcrate(tmp_path, "models", "fetch", "mine")
        assert result.returncode == 0, result.stderr
        assert server.ranges == [f"bytes={kept}-"]
    assert (home / "model.safetensors").read_bytes() == weights.read_bytes()
    assert sorted(file.name for file in home.iterdir()) == [
        "config.yaml",
        "model.json",
        "model.safetensors",
    ]


def _wait_for_bytes(file: Path, n_bytes: int) -> None:
    wait_until(lambda: file.exists() and file.stat().st_size >= n_bytes)
