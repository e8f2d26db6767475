"""Weights come from the internet and from strangers: nothing that they name may run."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.errors import UnsafeWeights
from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SeparatorFactory
from tests.models import make_tiny_htdemucs, write_network, write_tiny_htdemucs
from tests.unit.separation.measure import RATE, make_noise


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (exec, (f"open({str(self.path)!r}, 'w').close()",))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return write_tiny_htdemucs(tmp_path / "models")


def create(folder: Path) -> SeparatorModel:
    return SeparatorFactory.create("htdemucs", device="cpu", model_dir=folder)


def replace_network(folder: Path, content: Any) -> Path:
    """Put other content under the name without a checksum, as anyone may bring it."""
    file = next(folder.glob("*.th"))
    file.unlink()
    plain = folder / "htdemucsx0.th"
    if isinstance(content, bytes):
        plain.write_bytes(content)
    else:
        torch.save(content, plain)
    return plain


def package_of(network: Any, **more: Any) -> dict[Any, Any]:
    args, kwargs = network._init_args_kwargs
    state = network.state_dict()
    return {"klass": type(network), "args": args, "kwargs": kwargs, "state": state, **more}


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_pickle_that_calls_something_is_refused(
    models: Path, tmp_path: Path, is_zip: bool
) -> None:
    marker = tmp_path / "marker"
    content = package_of(make_tiny_htdemucs(), training_args=Trap(marker))
    if is_zip:
        replace_network(models, content)
    else:
        replace_network(models, pickle.dumps({"klass": Trap(marker)}, protocol=2))
    with pytest.raises(UnsafeWeights) as caught:
        create(models)
    assert "code" in caught.value.hint
    assert not marker.exists()


def test_the_trap_works(tmp_path: Path) -> None:
    """Without it the tests around would pass for the wrong reason."""
    marker = tmp_path / "marker"
    pickle.loads(pickle.dumps(Trap(marker)))
    assert marker.exists()


def test_the_forbidden_name_is_told(models: Path, tmp_path: Path) -> None:
    replace_network(models, {"klass": Trap(tmp_path / "marker")})
    with pytest.raises(UnsafeWeights, match="exec"):
        create(models)


def test_a_class_that_is_no_network_is_refused(models: Path) -> None:
    replace_network(models, package_of(make_tiny_htdemucs(), klass=np.ndarray))
    with pytest.raises(UnsafeWeights, match="not a Demucs network"):
        create(models)


@pytest.mark.slow
def test_packages_as_released_load(models: Path) -> None:
    """Half precision, and numpy scalars among the training arguments, are what Meta published."""
    network = make_tiny_htdemucs()
    content = package_of(network, training_args={"score": np.float64(7.5), "n": np.int64(3)})
    content["state"] = {key: value.half() for key, value in content["state"].items()}
    replace_network(models, content)
    stems = create(models).separate(make_noise(1000), RATE)
    assert set(stems) == set(network.sources)


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04broken"])
def test_damaged_files_are_refused(models: Path, content: bytes) -> None:
    replace_network(models, content)
    with pytest.raises(UnsafeWeights, match=r"htdemucsx0\.th"):
        create(models)


def test_a_wrong_checksum_is_refused_before_anything_is_read(models: Any, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    file = next(models.glob("*.th"))
    torch.save({"klass": Trap(marker)}, file)
    with pytest.raises(UnsafeWeights, match="SHA-256") as caught:
        create(models)
    assert "fetch it again" in caught.value.hint
    assert not marker.exists()


@pytest.fixture
def hub_models(tmp_path: Path) -> Path:
    return write_tiny_htdemucs(tmp_path / "models", layout="hub")


def rewrite_metadata(folder: Path, **metadata: Any) -> None:
    """Write the network's file again with other metadata."""
    from safetensors import safe_open

    file = next(folder.glob("htdemucs/*.safetensors"))
    with safe_open(str(file), framework="pt") as stream:
        before = stream.metadata()
        tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
    save_file(tensors, file, metadata={**before, **metadata})


@pytest.mark.parametrize("klass", ["pathlib.Path", "os.system", "this.this", "demucs.htdemucs.os"])
def test_a_class_named_in_metadata_is_checked_before_it_is_imported(
    hub_models: Any, klass: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """demucs.hf imports whatever module the file names: importing is running."""
    rewrite_metadata(hub_models, klass=klass)
    with pytest.raises(UnsafeWeights, match="names the class"):
        create(hub_models)
    assert "Beautiful is better" not in capsys.readouterr().out


def test_a_class_named_deep_in_the_structure_is_refused(hub_models: Any) -> None:
    rewrite_metadata(hub_models, structure='{"_class": "os.system"}')
    with pytest.raises(UnsafeWeights, match="packed"):
        create(hub_models)


@pytest.mark.parametrize("metadata", [{"kwargs": "[[["}, {"kwargs": '{"segment": {"_type": '}])
def test_metadata_that_is_not_json_is_refused(hub_models: Any, metadata: dict[str, Any]) -> None:
    rewrite_metadata(hub_models, **metadata)
    with pytest.raises(UnsafeWeights, match="cannot be read"):
        create(hub_models)


def test_weights_of_another_network_are_refused(hub_models: Any) -> None:
    rewrite_metadata(hub_models, kwargs='{"channels": 16, "sources": ["drums", "bass"]}')
    with pytest.raises(UnsafeWeights, match="htdemucsx0"):
        create(hub_models)


def test_a_truncated_safetensors_file_is_refused(hub_models: Any) -> None:
    file = next(hub_models.glob("htdemucs/*.safetensors"))
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UnsafeWeights, match="cannot be read"):
        create(hub_models)


def test_networks_of_different_stems_do_not_make_a_bag(models: Any) -> None:
    from demucs.htdemucs import HTDemucs

    other = HTDemucs(sources=["one", "two"], channels=8, depth=2, nfft=512, t_layers=1, t_heads=2)
    write_network(models, "other", other)
    (models / "htdemucs.yaml").write_text("models: [htdemucsx0, other]")
    with pytest.raises(UnsafeWeights, match="differ"):
        create(models)
