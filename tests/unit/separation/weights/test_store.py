import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import ModelUnavailable, UnknownModel, UnsafeWeights
from core.separation.families.catalogue import CATALOGUE
from core.separation.models.factory import SeparatorFactory
from core.separation.weights.store import WeightsStore
from core.separation.weights.user_models import list_refused
from tests.models import STEMS, write_tiny_htdemucs, write_tiny_network
from tests.unit.separation.measure import make_store


def touch(*files: Any) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"weights")


def test_spleeter_is_found_in_its_package_and_is_the_published_one(store: WeightsStore) -> None:
    location = store.require("spleeter")
    assert location.place == "package"
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in location.files]
    assert tuple(digests) == location.checksums
    assert store.path("spleeter") == location.files[0].parent


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name != "spleeter"])
def test_missing_weights_name_the_command_that_fetches_them(store: WeightsStore, name: Any) -> None:
    assert store.locate(name) is None
    assert not store.is_available(name)
    with pytest.raises(ModelUnavailable) as caught:
        store.require(name)
    assert f"stemcrate models fetch {name}" in caught.value.hint
    assert caught.value.field == "model"


@pytest.mark.parametrize("name", ["nothing", "", "../etc/passwd", "/tmp/x", "a/b", ".", "x" * 5000])
def test_unknown_names_and_paths_are_unknown_models(store: WeightsStore, name: str) -> None:
    """A name comes from the request: it must never become a path outside MODEL_DIR."""
    assert not store.is_available(name)
    with pytest.raises(UnknownModel) as caught:
        store.locate(name)
    assert "htdemucs_ft" in caught.value.hint


def test_the_catalogue_holds_what_demucs_publishes() -> None:
    """Signatures and weights are written down twice; a typing error would show here alone."""
    from demucs.hf import hf_repo_name
    from demucs.pretrained import REMOTE_ROOT

    from core.separation.weights.bag import read_bag

    files = (REMOTE_ROOT / "files.txt").read_text().split()
    for info in CATALOGUE.values():
        if info.family == "demucs":
            assert read_bag(REMOTE_ROOT / f"{info.name}.yaml") == info.bag
            pairs = zip(info.bag.signatures, info.checksums, strict=True)
            assert all(f"{signature}-{checksum}.th" in files for signature, checksum in pairs)
            assert info.repository == f"adefossez/{hf_repo_name(info.name)}"
            assert "#327" in info.licence


def test_model_dir_flat_without_a_bag_takes_the_catalogues(tmp_path: Path) -> None:
    info = CATALOGUE["htdemucs_ft"]
    pairs = zip(info.bag.signatures, info.checksums, strict=True)
    touch(*(tmp_path / "models" / f"{name}-{checksum}.th" for name, checksum in pairs))
    location = make_store(tmp_path).require("htdemucs_ft")
    assert location.place == "model_dir"
    assert location.bag.weights == info.bag.weights
    assert location.checksums == info.checksums
    with pytest.raises(UnsafeWeights, match="SHA-256"):
        location.verify()


def test_a_file_renamed_to_drop_its_checksum_is_still_checked(tmp_path: Path) -> None:
    touch(tmp_path / "models" / "955717e8.th")
    with pytest.raises(UnsafeWeights, match="8726e21a"):
        make_store(tmp_path).require("htdemucs").verify()


def test_one_missing_file_is_a_missing_model(tmp_path: Path) -> None:
    info = CATALOGUE["mdx_extra"]
    touch(*(tmp_path / "models" / f"{name}.safetensors" for name in info.bag.signatures[1:]))
    assert make_store(tmp_path).locate("mdx_extra") is None


def test_order_of_places(tmp_path: Path) -> None:
    """MODEL_DIR is what the owner chose; it goes before any cache."""
    store, commit = make_store(tmp_path), "0" * 40
    touch(tmp_path / "torch" / "955717e8-8726e21a.th")
    assert store.require("htdemucs").place == "torch_hub"
    hub = tmp_path / "hub" / "models--adefossez--HTDemucs"
    touch(hub / "refs" / "main", hub / "snapshots" / commit / "955717e8.safetensors")
    (hub / "refs" / "main").write_text(commit)
    assert store.require("htdemucs").place == "hub_cache"
    (hub / "snapshots" / commit / "htdemucs.yaml").write_text("models: ['other']")
    assert store.require("htdemucs").place == "torch_hub"
    write_tiny_htdemucs(tmp_path / "models")
    assert store.require("htdemucs").place == "model_dir"
    assert store.require("htdemucs").files[0].parent == tmp_path / "models"
    write_tiny_htdemucs(tmp_path / "models", layout="hub")
    assert store.require("htdemucs").files[0].parent == tmp_path / "models" / "htdemucs"


def test_a_damaged_file_in_the_hubs_cache_is_noticed(tmp_path: Path) -> None:
    """The cache names large files by their SHA-256; a download cut short has another one."""
    commit, repository = "0" * 40, tmp_path / "hub" / "models--adefossez--HTDemucs"
    blob = repository / "blobs" / hashlib.sha256(b"all of it").hexdigest()
    touch(blob, repository / "refs" / "main")
    (repository / "refs" / "main").write_text(commit)
    link = repository / "snapshots" / commit / "955717e8.safetensors"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    with pytest.raises(UnsafeWeights):
        make_store(tmp_path).require("htdemucs").verify()


def test_auto_takes_htdemucs_where_its_weights_are(tmp_path: Path, store: WeightsStore) -> None:
    name, reason = store.resolve_auto()
    assert name == "spleeter"
    assert "stemcrate models fetch htdemucs" in reason
    write_tiny_htdemucs(tmp_path / "models")
    name, reason = store.resolve_auto("auto")
    assert name == "htdemucs"
    assert "on this machine" in reason


def test_a_name_is_never_replaced(store: WeightsStore) -> None:
    assert store.resolve_auto("htdemucs")[0] == "htdemucs"
    assert store.resolve_auto("nothing")[0] == "nothing"


@pytest.mark.parametrize("layout", ["th", "hub"])
def test_models_of_ones_own(tmp_path: Path, layout: Any) -> None:
    write_tiny_htdemucs(tmp_path / "models", name="my-model", layout=layout)
    store = make_store(tmp_path)
    assert store.models()[-1].name == "my-model"
    # The stems of a pickle are known only after loading it.
    assert store.models()[-1].stems == (tuple(STEMS) if layout == "hub" else ())
    assert store.is_available("my-model")
    store.require("my-model").files[0].unlink()
    with pytest.raises(ModelUnavailable) as caught:
        store.require("my-model")
    assert "my-modelx0" in caught.value.hint
    assert "fetch" not in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        "models: []",
        "models: ['../../secret']",
        "just text",
        "models: [a]\nweights: [[1], [2]]",
        "models: [a]\nsegment: -1",
        "!!python/object/apply:os.system ['true']",
        "models: [a\n",
        "models: [a]\nweights: 5",
    ],
)
def test_bags_that_are_none(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "mine.yaml").write_text(content)
    store = make_store(tmp_path)
    assert "mine" not in [info.name for info in store.models()]
    assert not store.is_available("mine")
    with pytest.raises(UnsafeWeights, match=r"mine\.yaml"):
        store.locate("mine")


def test_the_hash_of_a_model_is_its_files_or_its_bags(tmp_path: Path) -> None:
    """Cached stems must not outlive a change of weights, nor of the bag's own numbers."""
    write_tiny_htdemucs(tmp_path / "models")
    location = make_store(tmp_path).require("htdemucs")
    assert location.verify() == hashlib.sha256(location.files[0].read_bytes()).hexdigest()
    seen = {location.verify()}
    bag = {"models": list(location.bag.signatures)}
    for extra in ({"segment": 1}, {"weights": [[1, 1, 1, 1]]}):
        (tmp_path / "models" / "htdemucs.yaml").write_text(json.dumps({**bag, **extra}))
        seen.add(make_store(tmp_path).require("htdemucs").verify())
    assert len(seen) == 3


def test_folders_are_listed_in_order(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    assert store.folders() == [tmp_path / name for name in ("models", "hub", "torch")]
    assert len(WeightsStore().folders()) == 2


def test_a_folder_without_a_card_is_recognised(tmp_path: Path) -> None:
    """Most people copy two files and expect the model's name in the list."""
    write_tiny_network(tmp_path / "models", "mel_band_roformer", suffix=".ckpt")
    info = make_store(tmp_path).info("mine")
    assert (info.family, info.stems) == ("mel_band_roformer", ("vocals", "other"))
    assert info.licence.startswith("Unknown")
    location = make_store(tmp_path).require("mine")
    assert [file.name for file in location.files] == ["model.ckpt"]
    assert location.config is not None


def test_a_change_of_the_config_is_a_change_of_the_model(tmp_path: Path) -> None:
    """The same weights cut into other chunks give other stems, which a cache must not mix up."""
    write_tiny_network(tmp_path / "models", "scnet")
    before = make_store(tmp_path).require("mine").verify()
    file = tmp_path / "models" / "mine" / "config.yaml"
    file.write_text(file.read_text().replace('"num_overlap": 2', '"num_overlap": 4'))
    assert make_store(tmp_path).require("mine").verify() != before


@pytest.mark.parametrize("name", ["config.yaml", "model.safetensors"])
def test_the_checksums_of_a_card_are_held_to(tmp_path: Path, name: str) -> None:
    write_tiny_network(tmp_path / "models", "scnet")
    home = tmp_path / "models" / "mine"
    names = ("config.yaml", "model.safetensors")
    digests = {n: hashlib.sha256((home / n).read_bytes()).hexdigest() for n in names}
    files = [{"name": n, "sha256": digest} for n, digest in digests.items()]
    (home / "model.json").write_text(json.dumps({"files": files}))
    make_store(tmp_path).require("mine").verify()
    (home / name).write_bytes((home / name).read_bytes() + b" ")
    with pytest.raises(UnsafeWeights, match=name):
        make_store(tmp_path).require("mine").verify()


def test_a_card_tells_the_checksums_of_a_bag(tmp_path: Path) -> None:
    """Networks in safetensors carry none in their names."""
    write_tiny_htdemucs(tmp_path / "models", name="bag", layout="hub")
    card = {"licence": "MIT", "files": [{"name": "bagx0.safetensors", "sha256": "0" * 64}]}
    (tmp_path / "models" / "bag" / "model.json").write_text(json.dumps(card))
    store = make_store(tmp_path)
    assert store.info("bag").licence == "MIT"
    with pytest.raises(UnsafeWeights, match="bagx0"):
        store.require("bag").verify()


@pytest.mark.parametrize(
    "card",
    [
        "{",
        "[]",
        '{"license": "MIT"}',
        '{"family": "guesswork"}',
        '{"licence": ""}',
        '{"files": [{"name": "../../etc/passwd.yaml"}]}',
        '{"files": [{"name": "model.exe"}]}',
        '{"files": [{"name": "m.ckpt", "url": "https://example.org/m.ckpt"}]}',
        '{"files": [{"name": "m.ckpt", "url": "file:///etc/passwd", "sha256": "%s"}]}' % ("0" * 64),
        '{"files": [{"name": "m.ckpt", "sha256": "12"}]}',
        '{"files": [{"name": "config.yaml"}]}',
        '{"files": [{"name": "a.ckpt"}, {"name": "b.ckpt"}, {"name": "config.yaml"}]}',
        '{"family": "demucs"}',
        '{"family": "spleeter"}',
    ],
)
def test_cards_that_are_none(tmp_path: Path, card: str) -> None:
    """A card that is read wrongly loads another file, or fetches what nobody checks."""
    write_tiny_network(tmp_path / "models", "scnet")
    (tmp_path / "models" / "mine" / "model.json").write_text(card)
    store = make_store(tmp_path)
    assert "mine" not in [info.name for info in store.models()]
    assert not store.is_available("mine")
    assert set(list_refused(tmp_path / "models")) == {"mine"}
    with pytest.raises(UnsafeWeights, match="'mine'"):
        store.require("mine")


@pytest.mark.parametrize("missing", ["config.yaml", "model.safetensors"])
def test_a_card_whose_files_are_missing_names_them(tmp_path: Path, missing: str) -> None:
    files = [{"name": "config.yaml"}, {"name": "model.safetensors"}]
    card = {"family": "scnet", "files": files}
    write_tiny_network(tmp_path / "models", "scnet", card=card)
    (tmp_path / "models" / "mine" / missing).unlink()
    with pytest.raises(ModelUnavailable) as caught:
        make_store(tmp_path).require("mine")
    assert missing in caught.value.hint


@pytest.mark.slow
def test_spleeter_trained_by_others(tmp_path: Path, store: WeightsStore) -> None:
    """A user model can be of any family."""
    home = tmp_path / "models" / "mine"
    home.mkdir(parents=True)
    for source, name in zip(store.require("spleeter").files, ("a.ckpt", "b.ckpt"), strict=True):
        (home / name).symlink_to(source)
    (home / "model.json").write_text('{"family": "spleeter", "licence": "MIT"}')
    model = SeparatorFactory.create("mine", device="cpu", model_dir=tmp_path / "models")
    assert (model.name, model.licence) == ("mine", "MIT")
    assert model.stems == ("vocals", "accompaniment")


def test_folders_that_are_no_models_are_left_alone(tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "empty").mkdir(parents=True)
    (models / "notes").mkdir()
    (models / "notes" / "todo.yaml").write_text("groceries: [milk]")
    (models / "notes" / "notes.ckpt").write_bytes(b"?")
    touch(models / "weights" / "alone.ckpt")
    (models / "a b").mkdir()
    store = make_store(tmp_path)
    assert [info.name for info in store.models()] == list(CATALOGUE)
    assert list_refused(models) == {}
    assert list_refused(None) == {}
