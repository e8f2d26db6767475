"""The languages of the screens: every text has its translation, and none is shown past it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import ascii_letters
from typing import Any

import pytest

from tests.unit.ui import examples
from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import open_page, page_text
from ui.assets import FOLDER as SCRIPTS
from ui.language import ENGLISH, FOLDER, LANGUAGE, counted, language_of, languages, t, translations
from ui.parts.player_words import (
    CORRECTIONS,
    DOCK,
    PLAYER,
    correction_words,
    dock_words,
    player_words,
)
from ui.places import (
    HISTORY,
    LIBRARY,
    LIVE,
    RESULTS,
    SEPARATE,
    SETS,
    SYSTEM,
    TRACK,
    Place,
)
from ui.text import moment

UI = Path(__file__).parents[3] / "ui"
TRANSLATING = {"t": slice(0, 1), "mark": slice(0, 1), "counted": slice(1, 3)}
"""Functions that take texts, and which of their arguments these are."""
SHOWING = {
    *("badge", "button", "caption", "checkbox", "dialog", "error", "expander", "header", "info"),
    *("link_button", "markdown", "metric", "multiselect", "number_input", "pills", "popover"),
    *("progress", "radio", "segmented_control", "selectbox", "slider", "spinner", "subheader"),
    *("success", "tabs", "text_area", "text_input", "title", "toast", "toggle", "warning", "write"),
    *("set_page_config", "show_heading", "show_section", "table"),
}
"""Calls that put their first arguments, and those of `SHOWN`, on the screen."""
SHOWN = {"help", "label", "placeholder", "captions", "page_title"}
SAME_EVERYWHERE = re.compile(r"Stemcrate|:material/\w+:|`[^`]*`")
SCRIPT_TEXT = re.compile(r"\bt\(\s*'((?:[^'\\]|\\.)*)'")
PLACEHOLDER = re.compile(r"{[^{}]*}")
CHOICE = "language-choice"
OTHERS = [code for code in languages() if code != ENGLISH]
GERMAN = [
    (SEPARATE, {}, "<h1>Separieren</h1>"),
    (SEPARATE, {"job": JOB_ID}, "<p>Fertig</p>"),
    (RESULTS, {}, "<h1>Ergebnisse</h1>"),
    (RESULTS, {"job": JOB_ID}, "dauerte 0:25"),
    (TRACK, {}, "<h1>Track</h1><p>Stems zum"),
    (TRACK, {"job": JOB_ID}, "Abschnitte"),
    (LIBRARY, {}, "<h1>Bibliothek</h1>"),
    (SETS, {}, "<h1>Sets</h1>"),
    (LIVE, {}, "<h1>Live</h1><p>Was auf den Decks"),
    (HISTORY, {}, "<h1>Verlauf</h1>"),
    (SYSTEM, {}, "<h1>System</h1><p>Wie es um"),
]
"""Pages, what they show, and German words of them."""


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Yield each call in the workbench's pages with the function's name and where it stands."""
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                yield name, f"{path.relative_to(UI)}:{node.lineno}", node


def texts() -> set[str]:
    """Return the English texts of the workbench."""
    return {
        str(text.value)
        for name, _, call in calls()
        if name in TRANSLATING
        for text in call.args[TRANSLATING[name]]
        if isinstance(text, ast.Constant)
    }


def test_texts_that_are_put_together_from_parts_have_no_translation() -> None:
    """`t(f"{verb} {n} tracks")` looks up a text that is in no file."""
    bad = [
        where
        for name, where, call in calls()
        if name in TRANSLATING and not where.startswith("language.py")
        for text in call.args[TRANSLATING[name]]
        if isinstance(text, ast.JoinedStr | ast.BinOp | ast.IfExp)
    ]
    assert not bad


def test_no_text_is_translated_when_a_module_is_imported() -> None:
    """It would stay in the language of the first reader: `@st.dialog(t("Delete"))`."""
    bad = [
        f"{path.relative_to(UI)}:{call.lineno}"
        for path in UI.rglob("*.py")
        for call in calls_at_import(ast.parse(path.read_text()))
        if isinstance(call.func, ast.Name) and call.func.id in ("t", "counted")
    ]
    assert not bad


def calls_at_import(node: ast.AST) -> Iterator[ast.Call]:
    if isinstance(node, ast.Call):
        yield node
    if isinstance(node, ast.Lambda):
        return
    inner: Any = ast.iter_child_nodes(node)
    if isinstance(node, ast.FunctionDef):
        inner = [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]
    for part in inner:
        if part is not None:
            yield from calls_at_import(part)


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_has_each_text_and_no_other(code: str) -> None:
    assert texts() - translations(code).keys() == set()
    assert translations(code).keys() - texts() == set()


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_placeholders_of_its_text(code: str) -> None:
    """A placeholder that is misspelt ends the page with a KeyError."""
    for text, translation in translations(code).items():
        assert translation.strip()
        assert sorted(PLACEHOLDER.findall(translation)) == sorted(PLACEHOLDER.findall(text))
        assert (translation[0] == " ") == (text[0] == " ")


@pytest.mark.parametrize("code", OTHERS)
def test_a_file_of_translations_is_sorted_with_one_on_a_line(code: str) -> None:
    lines = (FOLDER / f"{code}.json").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "{"
    assert lines[-1] == "}"
    keys = [line.split('": "')[0] for line in lines[1:-1]]
    assert len(keys) == len(translations(code))
    assert list(translations(code)) == sorted(translations(code))


def script_texts(*names: str) -> set[str]:
    """Return the texts of scripts that look their translations up themselves."""
    scripts = "".join((SCRIPTS / name).read_text() for name in names)
    return {text.replace("\\'", "'") for text in SCRIPT_TEXT.findall(scripts)}


def test_the_player_has_every_text_that_it_shows_and_no_other() -> None:
    """A text that is missing stays English; one that is left is never shown."""
    names = [
        path.relative_to(SCRIPTS).as_posix()
        for folder in ("player", "corrections")
        for path in (SCRIPTS / folder).rglob("*.js")
    ]
    shown = script_texts(*names)
    assert shown == {*DOCK, *PLAYER, *CORRECTIONS}
    assert shown <= correction_words().keys()
    of_player = script_texts(*(name for name in names if name.startswith("player")))
    assert of_player <= player_words().keys()
    shared = ("view/dock.js", "view/format.js", "view/slider.js", "model/api.js", "model/track.js")
    assert script_texts(*(f"player/{name}" for name in shared)) == dock_words().keys()


def test_every_text_on_the_screen_is_translated() -> None:
    """A literal that is handed to a widget stays English in every language."""
    bad = [
        f"{where} {part!r}"
        for name, where, call in calls()
        if name in SHOWING and not where.startswith("server/")  # messages of its log
        for shown in shown_by(name, call)
        for part in literals(shown)
        if set(SAME_EVERYWHERE.sub("", part)) & set(ascii_letters)
    ]
    assert not bad


def shown_by(name: str, call: ast.Call) -> list[ast.expr]:
    first = 2 if name == "show_heading" else 1
    return [*call.args[:first], *(word.value for word in call.keywords if word.arg in SHOWN)]


def literals(shown: ast.AST) -> Iterator[str]:
    """Yield the literal texts of an expression, except in calls and lookups."""
    if isinstance(shown, ast.Constant) and isinstance(shown.value, str):
        yield re.sub(r"</?\w[^>]*>", "", shown.value)
    if isinstance(shown, ast.JoinedStr | ast.BinOp | ast.IfExp | ast.BoolOp | ast.List | ast.Tuple):
        for part in ast.iter_child_nodes(shown):
            if part is not getattr(shown, "test", None):
                yield from literals(part)
    if isinstance(shown, ast.FormattedValue):
        yield from literals(shown.value)


@pytest.mark.parametrize(
    ("tag", "code"),
    [("de", "de"), ("de-AT", "de"), ("DE", "de"), ("en-GB", "en"), ("nl-NL", "en"), (None, "en")],
)
def test_the_language_is_the_browsers_if_there_is_a_file_for_it(tag: Any, code: str) -> None:
    assert language_of(tag) == code


def test_a_language_has_its_own_name() -> None:
    assert languages() == {"en": "English", "de": "Deutsch"}


def test_outside_of_a_page_texts_are_english() -> None:
    assert t("Library") == "Library"
    assert counted(1, "{n} track", "{n} tracks") == "1 track"
    assert moment(None) == "—"


@pytest.mark.parametrize(("place", "query", "words"), GERMAN)
def test_a_page_opens_in_german(
    place: Place, query: dict[str, str], words: str, server: Any, api_url: Any
) -> None:
    api_url(server.url)
    answer_pages(server)
    app = open_page(place, lang="de", **query)
    assert not app.exception
    assert words in page_text(app)
    choice = app.selectbox(key=CHOICE)
    assert choice.label == "Sprache"
    assert choice.value == "de"


def test_the_chosen_language_is_kept_on_other_pages_and_in_the_url(
    server: Any, api_url: Any
) -> None:
    api_url(server.url)
    answer_pages(server)
    app = open_page(RESULTS)
    assert "What a job made of your tracks." in page_text(app)
    app.selectbox(key=CHOICE).select("de").run()
    assert "aus deinen Tracks gemacht hat." in page_text(app)
    assert app.query_params[LANGUAGE] == "de"
    app = app.switch_page("views/library.py").run()
    assert "Bibliothek" in page_text(app)
    assert app.query_params[LANGUAGE] == "de"
    app.selectbox(key=CHOICE).select("en").run()
    assert "Library" in page_text(app)


def answer_pages(server: Any) -> None:
    """Let a server answer what the pages ask for."""
    examples.give_finished_job(server)
    server.answer("GET", "/config", examples.config())
    server.answer("GET", "/jobs?limit=20", {"jobs": [], "next_cursor": None})
