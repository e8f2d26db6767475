import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import DeviceUnavailable, ModelUnavailable, UnknownModel
from core.separation.families.catalogue import CATALOGUE
from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SeparatorFactory
from tests.models import write_tiny_htdemucs
from tests.plugins import install_plugin
from tests.unit.separation.measure import RATE, make_noise

PLUGIN = """
import numpy as np
from stemcrate.plugins import SeparatorModel


class Copy(SeparatorModel):
    stems, sample_rate, residual_stem = ("copy", "other"), 44100, "other"
    licence, weights_sha256 = "MIT", "0" * 64

    def __init__(self, name, device):
        self.name, self.device = name, device

    def stream_stereo(self, mixture, run):
        for block in mixture.blocks():
            yield np.stack([block, np.zeros_like(block)])


def build(name, *, device, model_dir):
    return Copy(name, device)
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An installed distribution with two models, one of them broken."""
    points = (
        "[stemcrate.separators]\ncopy = stemcrate_copy:build\nbroken = stemcrate_copy:nothing\n"
    )
    install_plugin(tmp_path, "stemcrate-copy", {"stemcrate_copy.py": PLUGIN}, points)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield
    sys.modules.pop("stemcrate_copy", None)


def test_all_of_the_catalogue_can_be_asked_for() -> None:
    assert set(CATALOGUE) <= set(SeparatorFactory.names())


def test_a_plugin_is_found_by_its_entry_point(plugin: Any) -> None:
    assert {"copy", "broken"} <= set(SeparatorFactory.names())
    assert "stemcrate_copy" not in sys.modules  # listing runs nobody's code
    SeparatorFactory.check("copy")
    model = SeparatorFactory.create("copy", device="cpu")
    mixture = make_noise(100)
    np.testing.assert_array_equal(model.separate(mixture, RATE)["copy"], mixture)


def test_a_broken_plugin_is_named(plugin: Any) -> None:
    with pytest.raises(ModelUnavailable, match="broken"):
        SeparatorFactory.create("broken")


@pytest.mark.parametrize("name", ["nothing", "../x", ""])
def test_unknown_models_are_refused_with_the_names_that_there_are(name: str) -> None:
    for ask in (SeparatorFactory.create, SeparatorFactory.check):
        with pytest.raises(UnknownModel) as caught:
            ask(name)
        assert caught.value.field == "model"
        assert "spleeter" in caught.value.hint


def test_registered_models(tmp_path: Path) -> None:
    def build(name: str, *, device: str, model_dir: Path | None) -> SeparatorModel:
        return SeparatorFactory.create("spleeter", device=device, model_dir=model_dir)

    SeparatorFactory.register("mine", build)
    try:
        assert "mine" in SeparatorFactory.names()
        assert SeparatorFactory.create("mine", device="cpu").stems == ("vocals", "accompaniment")
        for taken in ("mine", "htdemucs", "auto"):
            with pytest.raises(ValueError, match="taken"):
                SeparatorFactory.register(taken, build)
    finally:
        SeparatorFactory.unregister("mine")
    assert "mine" not in SeparatorFactory.names()


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["th", "hub"])
def test_models_of_model_dir(tmp_path: Path, layout: Any) -> None:
    write_tiny_htdemucs(tmp_path, name="my-model", layout=layout)
    assert "my-model" in SeparatorFactory.names(tmp_path)
    assert "my-model" not in SeparatorFactory.names()
    SeparatorFactory.check("my-model", model_dir=tmp_path)
    model = SeparatorFactory.create("my-model", device="cpu", model_dir=tmp_path)
    assert model.name == "my-model"
    assert "Unknown" in model.licence
    assert set(model.separate(make_noise(1000), RATE)) == set(model.stems)


def test_auto_creates_what_it_resolves_to(tmp_path: Path) -> None:
    write_tiny_htdemucs(tmp_path)
    assert SeparatorFactory.create("auto", device="cpu", model_dir=tmp_path).name == "htdemucs"


def test_a_device_that_is_not_there_is_refused(tiny_dir: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(DeviceUnavailable):
        SeparatorFactory.create("htdemucs", device="cuda", model_dir=tiny_dir)


def test_a_path_is_not_part_of_any_refusal() -> None:
    """Errors reach the browser: they may name files, not folders of the server."""
    with pytest.raises(UnknownModel) as caught:
        SeparatorFactory.create("x", model_dir=Path("/secret/place"))
    assert "secret" not in str(caught.value)
