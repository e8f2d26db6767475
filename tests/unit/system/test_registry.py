"""Plug-ins are other people's code: a broken one must cost its own feature, not the program."""

import logging
from pathlib import Path

import pytest

from core.errors import PluginFailed
from core.system.registry import Registry
from tests.plugins import install_plugin

CODE = "GOOD = 'good'\nWRONG = 7\n"
POINTS = """
[stemcrate.words]
good = words_plugin:GOOD
wrong = words_plugin:WRONG
missing = words_plugin:MISSING
raising = words_raising:ANY
taken = words_plugin:GOOD
"""


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[str]:
    """A registry with one built-in item, and an installed package with one good item."""
    install_plugin(
        tmp_path,
        "words",
        {"words_plugin.py": CODE, "words_raising.py": "raise RuntimeError('at import')"},
        POINTS,
    )
    monkeypatch.syspath_prepend(tmp_path)
    return Registry(
        "stemcrate.words", lambda _, item: isinstance(item, str), [("taken", "built in")]
    )


def test_items_of_packages_are_listed_after_our_own(words: Registry[str]) -> None:
    assert words.names() == ("taken", "good", "wrong", "missing", "raising")
    assert words.plugins() == ("good", "wrong", "missing", "raising")
    assert "good" in words
    assert "nothing" not in words


def test_a_package_cannot_replace_a_built_in_item(words: Registry[str]) -> None:
    """Jobs of the same options must do the same, whatever else is installed."""
    assert words.get("taken") == "built in"
    with pytest.raises(ValueError, match="taken"):
        words.register("taken", "mine")
    with pytest.raises(ValueError, match="taken"):
        words.register("good", "mine")


@pytest.mark.parametrize("name", ["wrong", "missing", "raising"])
def test_an_item_that_cannot_be_loaded_names_its_package(words: Registry[str], name: str) -> None:
    with pytest.raises(PluginFailed, match=f"'{name}' of 'words'") as caught:
        words.get(name)
    assert "words" in caught.value.hint


def test_what_can_be_loaded_is_available_and_the_rest_is_logged(
    words: Registry[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert words.available() == {"taken": "built in", "good": "good"}
    assert len(caplog.records) == 3


def test_registered_items_can_be_removed(words: Registry[str]) -> None:
    words.register("mine", "x")
    assert words.get("mine") == "x"
    words.unregister("mine")
    with pytest.raises(KeyError):
        words.get("mine")
    with pytest.raises(KeyError):
        words.unregister("mine")
