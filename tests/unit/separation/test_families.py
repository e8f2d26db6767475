"""Families are named by strings until one is loaded: a typo would show in a job alone."""

from importlib import import_module
from importlib.util import find_spec

import pytest

from core.separation.families.catalogue import CATALOGUE, FAMILIES
from core.separation.families.family import ModelFamily
from core.separation.families.networks import NETWORKS, NetworkFamily
from core.separation.models.base import SeparatorModel
from tests.models import TINY_NETWORKS


def load(name: str) -> object:
    module, attribute = name.split(":")
    return getattr(import_module(module), attribute)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_what_a_family_names_exists(family: ModelFamily) -> None:
    model = load(family.model)
    assert isinstance(model, type)
    assert issubclass(model, SeparatorModel)
    if isinstance(family, NetworkFamily) and (
        family.package is None or find_spec(family.package.module) is not None
    ):
        assert callable(load(family.network))


def test_models_are_of_the_family_that_lists_them() -> None:
    for family in FAMILIES.values():
        assert all(info.family == family.name for info in family.catalogue)
    assert len(CATALOGUE) == sum(len(family.catalogue) for family in FAMILIES.values())


@pytest.mark.parametrize("name", TINY_NETWORKS)
def test_a_network_is_of_one_family(name: str) -> None:
    """Weights of one family in the network of another fail deep in torch."""
    config = {"model": TINY_NETWORKS[name]}
    assert next(family.name for family in NETWORKS if family.detect(config)) == name


@pytest.mark.parametrize("content", [None, [], "model", {}, {"model": None}, {"model": []}])
def test_what_is_not_a_network_is_of_no_family(content: object) -> None:
    assert not any(family.detect(content) for family in FAMILIES.values())
