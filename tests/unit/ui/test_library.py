"""The page of the library."""

import re
from typing import Any

from tests.unit.ui.opening import open_page, page_text
from ui.assets import FOLDER
from ui.parts.library_words import words
from ui.places import LIBRARY

HEALTH = {
    "status": "ok",
    "version": "1",
    "database": True,
    "workers": 1,
    "free_bytes": 1,
    "stalled_jobs": 0,
}


def test_the_page_holds_the_table(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", "/health", HEALTH)
    app = open_page(LIBRARY)
    assert not app.exception
    assert "Library" in page_text(app)
    names = [element.proto.component_name for element in app.get("bidi_component")]
    assert "stemcrate.library" in names


def test_the_table_has_every_word_that_it_shows_and_no_other() -> None:
    """A word that is missing is "undefined" on the screen; one that is left is never shown."""
    shared = [FOLDER / "messages.js", FOLDER / "dialog.js"]
    paths = [*(FOLDER / "library").glob("*.js"), *shared]
    scripts = "".join(path.read_text() for path in paths)
    shown = set(re.findall(r"\bwords\.(\w+)", scripts))
    by_name = {name for name in words() if re.search(rf"'{name}'", scripts)}
    assert shown <= words().keys()
    assert words().keys() <= shown | by_name
    named = set(re.findall(r"\{ ?\n? *name: '(\w+)'", scripts))
    assert words()["columns"].keys() == named
