"""What users and plug-ins import says what it takes and returns: there is no other manual."""

import inspect
from types import FunctionType

import pytest

import stemcrate.local
import stemcrate.plugins


def functions() -> list[FunctionType]:
    members = (getattr(stemcrate.local, name) for name in stemcrate.local.__all__)
    return [member for member in members if inspect.isfunction(member)]


@pytest.mark.parametrize("function", functions(), ids=lambda function: function.__name__)
def test_every_function_says_what_it_takes_returns_and_raises(function: FunctionType) -> None:
    text = inspect.getdoc(function) or ""
    for name in ("Parameters", "Returns", "Raises"):
        assert f"\n{name}\n{'-' * len(name)}\n" in text, name
    taken = text.split("\nParameters\n", 1)[1].split("\nReturns\n", 1)[0]
    for name in inspect.signature(function).parameters:
        assert name in taken, name


@pytest.mark.parametrize("name", stemcrate.plugins.__all__)
def test_everything_that_plugins_import_is_documented(name: str) -> None:
    member = getattr(stemcrate.plugins, name)
    if inspect.isclass(member) and member.__module__.startswith(("core.", "stemcrate.")):
        assert inspect.getdoc(member)
        for attribute, function in vars(member).items():
            if not attribute.startswith("_") and inspect.isfunction(function):
                assert inspect.getdoc(getattr(member, attribute)), f"{name}.{attribute}"


def test_a_model_of_others_implements_public_methods_alone() -> None:
    """A private hook may change without notice, and took third parties' models with it."""
    abstract = stemcrate.plugins.SeparatorModel.__abstractmethods__
    assert abstract == {"stream_stereo"}
    assert stemcrate.plugins.TrackStage.__abstractmethods__ == {"execute"}
    assert stemcrate.plugins.JobStage.__abstractmethods__ == {"execute"}
