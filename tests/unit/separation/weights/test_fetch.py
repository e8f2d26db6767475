"""Fetching, from a server on this machine that answers as the Hugging Face hub does."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.small_disk import small_disk
from core.errors import ModelUnavailable, StorageFull, UnknownModel, UnsafeWeights
from core.separation.models.factory import SeparatorFactory
from core.separation.weights.download import MAX_ATTEMPTS, download
from tests.file_server import FileServer
from tests.models import write_tiny_htdemucs, write_tiny_network
from tests.programs import REASON
from tests.unit.separation.measure import make_store

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Seen:
    """The progress of a download: bytes as they came, and what the whole was said to be."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.totals: set[int | None] = set()

    def __call__(self, n_bytes: int, total_bytes: int | None) -> None:
        self.sizes.append(n_bytes)
        self.totals.add(total_bytes)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    """Serve a tiny htdemucs as ``adefossez/HTDemucs``, and ``file.bin``."""
    published = write_tiny_htdemucs(tmp_path / "hub_files", layout="hub") / "htdemucs"
    (published / "file.bin").write_bytes(CONTENT)
    with FileServer(published, prefix="/adefossez/HTDemucs/resolve/main/") as running:
        yield running


@pytest.fixture
def hub(server: Any) -> Any:
    return server.address


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_fetch_into_model_dir(tmp_path: Path, hub: Any) -> None:
    store, seen = make_store(tmp_path, endpoint=hub), Seen()
    assert store.resolve_auto()[0] == "spleeter"
    assert store.can_fetch("htdemucs")
    folder = store.fetch("htdemucs", seen)
    assert not store.can_fetch("htdemucs")
    assert folder == tmp_path / "models" / "htdemucs"
    assert seen.sizes == sorted(seen.sizes)
    (weights,) = folder.glob("*.safetensors")
    assert (seen.sizes[-1], seen.totals) == (weights.stat().st_size, {weights.stat().st_size})
    assert store.resolve_auto()[0] == "htdemucs"
    model = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path / "models")
    assert len(model.stems) == 4


def test_fetch_into_the_hubs_cache(tmp_path: Path, hub: Any) -> None:
    store = make_store(tmp_path, endpoint=hub)
    store._model_dir = None
    folder = store.fetch("htdemucs")
    assert folder.is_relative_to(tmp_path / "hub")
    location = store.require("htdemucs")
    assert location.place == "hub_cache"
    assert len(location.checksums[0]) == 64
    location.verify()


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    write_tiny_htdemucs(tmp_path / "models")
    nowhere = make_store(tmp_path, endpoint="http://127.0.0.1:9")
    assert nowhere.fetch("htdemucs") == tmp_path / "models"
    assert nowhere.fetch("spleeter").name == "2stems"


@pytest.mark.parametrize("name", ["htdemucs", "mdx_extra"])
def test_without_a_network_or_without_the_files(
    tmp_path: Path, hub: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "htdemucs":  # The hub's own switch; a refused connection is tried again for 20 s.
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelUnavailable) as caught:
        make_store(tmp_path, endpoint=hub).fetch(name)
    assert "fetch them again" in caught.value.hint
    assert "MODEL_DIR" in caught.value.hint
    assert str(tmp_path) not in str(caught.value)


def test_unknown_models_are_not_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel):
        make_store(tmp_path).fetch("someone/else")


def test_a_download_goes_on_where_the_server_died(tmp_path: Path, server: Any) -> None:
    """A large file over a bad line never arrives if every attempt starts over."""
    place, half = tmp_path / "models" / "file.bin", len(CONTENT) // 2
    server.break_after = half
    server.refuse_after_break = True
    with pytest.raises(ModelUnavailable) as caught:
        download(server.url("file.bin"), place, sha256=SHA256, pause_s=0)
    assert "where it stopped" in caught.value.hint
    assert not place.exists()
    published = server.folder
    server.close()
    with FileServer(published) as again:
        seen = Seen()
        download(again.url("file.bin"), place, sha256=SHA256, progress=seen, pause_s=0)
        assert again.ranges == [f"bytes={half}-"]
        assert again.n_sent == len(CONTENT) - half
    assert place.read_bytes() == CONTENT
    assert [file.name for file in place.parent.iterdir()] == ["file.bin"]
    assert seen.sizes == sorted(seen.sizes)
    assert seen.sizes[0] > half
    assert (seen.sizes[-1], seen.totals) == (len(CONTENT), {len(CONTENT)})


@pytest.mark.slow
def test_broken_connections_are_tried_again_while_something_comes(
    tmp_path: Path, server: Any
) -> None:
    """Each connection brings a tenth: more attempts than `MAX_ATTEMPTS`, none of them in vain."""
    server.break_after = len(CONTENT) // 10
    place = tmp_path / "file.bin"
    download(server.url("file.bin"), place, sha256=SHA256, pause_s=0)
    assert place.read_bytes() == CONTENT
    assert len(server.ranges) > MAX_ATTEMPTS


def test_a_server_without_ranges_sends_all_again(tmp_path: Path, server: Any) -> None:
    """Appending a whole file to half of it would give one and a half."""
    place = tmp_path / "file.bin"
    part = place.with_name(f"file.bin.{SHA256[:16]}.part")
    part.write_bytes(CONTENT[:1000])
    server.has_ranges = False
    download(server.url("file.bin"), place, sha256=SHA256)
    assert place.read_bytes() == CONTENT


@pytest.mark.parametrize("kept", [CONTENT, b"x" * len(CONTENT), CONTENT + b"more"])
def test_a_part_that_is_complete_or_wrong(tmp_path: Path, server: Any, kept: Any) -> None:
    place = tmp_path / "models" / "file.bin"
    place.parent.mkdir()
    place.with_name(f"file.bin.{SHA256[:16]}.part").write_bytes(kept)
    if kept == CONTENT:
        download(server.url("file.bin"), place, sha256=SHA256)
        assert place.read_bytes() == CONTENT
        return
    with pytest.raises(UnsafeWeights):
        download(server.url("file.bin"), place, sha256=SHA256)
    download(server.url("file.bin"), place, sha256=SHA256)
    assert place.read_bytes() == CONTENT


def test_another_content_is_not_kept(tmp_path: Path, server: Any) -> None:
    """Weights that were exchanged at their publisher must never lie where models are loaded."""
    place = tmp_path / "models" / "file.bin"
    with pytest.raises(UnsafeWeights, match="SHA-256"):
        download(server.url("file.bin"), place, sha256="0" * 64)
    assert not any(file.stat().st_size for file in place.parent.iterdir())


def test_a_missing_file_is_not_asked_for_twice(tmp_path: Path, server: Any) -> None:
    with pytest.raises(ModelUnavailable, match="404"):
        download(server.url("nothing.bin"), tmp_path / "x.bin", sha256=SHA256, pause_s=0)
    assert server.n_requests == 1


def test_a_full_disk_says_so(tmp_path: Path, server: Any) -> None:
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("this system has no /dev/full")
    (tmp_path / f"file.bin.{SHA256[:16]}.part").symlink_to("/dev/full")
    with pytest.raises(StorageFull):
        download(server.url("file.bin"), tmp_path / "file.bin", sha256=SHA256)


def test_a_disk_without_room_is_noticed_before_anything_is_fetched(
    tmp_path: Path, server: Any
) -> None:
    """Weights of a gigabyte filled the disk to its last byte, and jobs failed with them."""
    try:
        with small_disk(tmp_path / "disk", 100_000) as disk:
            store = make_store(disk.folder, endpoint=server.address)
            with pytest.raises(StorageFull, match="MB of free space") as caught:
                store.fetch("htdemucs")
            assert not list(disk.folder.rglob("*.part"))
            assert not store.is_available("htdemucs")
    except FileNotFoundError:
        pytest.skip(REASON + "mount")
    except PermissionError as error:
        pytest.skip(str(error))
    assert "Free some space" in caught.value.hint


def test_only_what_is_missing_and_published_can_be_fetched(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for name in ("spleeter", "no-such-model", "someone/else", "../htdemucs"):
        assert not store.can_fetch(name)


def test_a_killed_fetch_from_the_hub_goes_on(tmp_path: Path, server: Any) -> None:
    """The hub's own client starts over; htdemucs_ft is 640 MB."""
    file = next(server.folder.glob("*.safetensors"))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    for store, folder, name in (
        (make_store(tmp_path, endpoint=server.address), tmp_path / "models/htdemucs", file.name),
        (make_store(tmp_path, endpoint=server.address), None, digest),
    ):
        if folder is None:
            store._model_dir = None
            folder = tmp_path / "hub/models--adefossez--HTDemucs/blobs"
        folder.mkdir(parents=True)
        (folder / f"{name}.{digest[:16]}.part").write_bytes(file.read_bytes()[:100_000])
        server.ranges.clear()
        store.fetch("htdemucs")
        assert server.ranges == ["bytes=100000-"]
        store.require("htdemucs").verify()
        assert not list(folder.glob("*.part*"))


def test_models_of_ones_own_are_fetched_by_their_card(tmp_path: Path) -> None:
    published = write_tiny_network(tmp_path / "published", "scnet") / "mine"
    home = tmp_path / "models" / "mine"
    home.mkdir(parents=True)
    with FileServer(published) as server:
        files = [
            {
                "name": name,
                "url": server.url(name),
                "sha256": hashlib.sha256((published / name).read_bytes()).hexdigest(),
            }
            for name in ("config.yaml", "model.safetensors")
        ]
        card = {"family": "scnet", "licence": "MIT", "source": "a paper", "files": files}
        (home / "model.json").write_text(json.dumps(card))
        store, seen = make_store(tmp_path), Seen()
        assert not store.is_available("mine")
        assert store.can_fetch("mine")
        with pytest.raises(ModelUnavailable) as caught:
            store.require("mine")
        assert "stemcrate models fetch mine" in caught.value.hint
        assert store.fetch("mine", seen) == home
    n_bytes = sum((published / file["name"]).stat().st_size for file in files)
    assert seen.sizes == sorted(seen.sizes)
    assert (seen.sizes[-1], seen.totals) == (n_bytes, {n_bytes})
    assert {file.name for file in home.iterdir()} == {f["name"] for f in files} | {"model.json"}
    model = SeparatorFactory.create("mine", device="cpu", model_dir=tmp_path / "models")
    assert (model.licence, model.stems) == ("MIT", ("vocals", "other"))
    assert model.weights_sha256 == store.require("mine").verify()
