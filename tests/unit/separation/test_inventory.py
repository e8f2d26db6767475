"""What machines have to separate with, alone and together."""

from pathlib import Path

import pytest

from core.errors import ModelUnavailable, UnknownModel, UnsafeWeights
from core.separation.inventory import AutoChoice, Inventory, merge, take_inventory
from core.separation.models.factory import SeparatorFactory
from core.separation.weights.store import WeightsStore
from stemcrate.schemas.configuration import ModelInfo
from tests.models import write_tiny_htdemucs


def _inventory(resolved: str, **models: bool) -> Inventory:
    entries = [
        ModelInfo(
            name=name,
            family="demucs",
            stems=["vocals", "other"],
            licence="MIT",
            available=available,
            hint="" if available else f"Run: stemcrate models fetch {name}.",
        )
        for name, available in models.items()
    ]
    return Inventory(models=entries, auto=AutoChoice(resolved=resolved, reason=f"auto: {resolved}"))


def test_an_inventory_says_what_the_machine_itself_would(tmp_path: Path) -> None:
    """The API must refuse by a worker's inventory what the worker itself would refuse."""
    write_tiny_htdemucs(tmp_path, layout="hub")
    write_tiny_htdemucs(tmp_path, name="mine")
    weights = WeightsStore(tmp_path)
    inventory = take_inventory(tmp_path)

    assert [model.name for model in inventory.models] == list(SeparatorFactory.names(tmp_path))
    for info in weights.models():
        assert inventory.is_available(info.name) == weights.is_available(info.name)
        assert inventory.stems(info.name) == info.stems
    assert inventory.resolve_auto("auto") == weights.resolve_auto("auto")
    assert inventory.resolve_auto("mine")[0] == "mine"
    inventory.check("mine")
    with pytest.raises(UnknownModel, match="no-such"):
        inventory.check("no-such")


def test_a_model_that_cannot_be_understood_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "htdemucs.yaml").write_text("[not a bag")
    inventory = take_inventory(tmp_path)
    assert not inventory.is_available("htdemucs")
    with pytest.raises(UnsafeWeights, match="htdemucs"):
        inventory.check("htdemucs")


def test_an_inventory_survives_its_way_through_the_database(tmp_path: Path) -> None:
    inventory = take_inventory(tmp_path)
    assert Inventory.model_validate_json(inventory.model_dump_json()) == inventory


def test_machines_together_have_what_each_of_them_has() -> None:
    """A job may go to any worker: a model that one of them lacks would fail there."""
    both = merge(
        [
            _inventory("htdemucs", htdemucs=True, spleeter=True, mine=True),
            _inventory("spleeter", htdemucs=False, spleeter=True),
        ]
    )
    assert [m.name for m in both.models if m.available] == ["spleeter"]
    with pytest.raises(ModelUnavailable) as missing:
        both.check("htdemucs")
    assert "stemcrate models fetch htdemucs" in missing.value.hint
    with pytest.raises(ModelUnavailable) as elsewhere:
        both.check("mine")
    assert "every worker" in elsewhere.value.hint
    assert "htdemucs or spleeter" in both.auto.reason


def test_one_machine_alone_is_what_it_is() -> None:
    one = _inventory("htdemucs", htdemucs=True)
    assert merge([one]) == one
    assert merge([one, one]) == one


def test_auto_without_any_model_says_why() -> None:
    nothing = Inventory(models=[], auto=AutoChoice(resolved=None, reason="No model is here."))
    with pytest.raises(ModelUnavailable, match="No model is here"):
        nothing.resolve_auto("auto")
