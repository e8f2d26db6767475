"""The page of the sets."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from stemcrate.schemas.playlists import PlaylistPage, PlaylistView
from tests.unit.ui import examples
from tests.unit.ui.examples import written
from tests.unit.ui.opening import open_page, page_text, texts
from ui.assets import FOLDER
from ui.parts.set_words import list_words, planner_words, set_words
from ui.places import SETS

SET_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b21"
LINE = {"id": SET_ID, "name": "<b>Friday", "created_at": "2026-11-28T20:00:00Z", "n_tracks": 2}
HEALTH = {
    "status": "ok",
    "version": "1",
    "database": True,
    "workers": 1,
    "free_bytes": 1,
    "stalled_jobs": 0,
}


def track(track_id: str) -> dict[str, Any]:
    return {
        "id": track_id,
        "title": f"Title {track_id}",
        "artist": None,
        "genre": None,
        "comment": None,
        "cover_url": None,
        "thumbnail_url": None,
        "stems": [],
        "corrected": [],
        "added_at": "2026-11-28T20:00:00Z",
        "is_missing": False,
        "duration_s": 300.0,
        "tempo_bpm": 124.0,
        "camelot": "8A",
        "energy": 5,
        "integrated_loudness_lufs": -9.0,
        "vocal_ratio": None,
        "rating": None,
    }


def playlist() -> Any:
    answer = {
        **LINE,
        "version": "v1",
        "request": None,
        "duration_s": 600.0,
        "score": 0.8,
        "curve_fit": None,
        "order": ["a", "b"],
        "starts_s": [0.0, 300.0],
        "wanted_energy": [],
        "tracks": [track("a"), track("b")],
        "gone": [],
        "transitions": [],
        "relaxed": [],
        "exports": {"m3u8": f"/playlists/{SET_ID}/export/m3u8"},
    }
    return written(PlaylistView, answer)


def shown(app: Any) -> dict[str, Any]:
    """The components of the page with their data."""
    return {
        element.proto.component_name.removeprefix("stemcrate."): json.loads(element.proto.json)
        for element in app.get("bidi_component")
    }


def test_the_sets_are_listed(server: Any, api_url: Any) -> None:
    api_url(server.url)
    page = written(PlaylistPage, {"playlists": [LINE], "next_cursor": None})
    server.answer("GET", "/playlists?limit=50", page)
    app = open_page(SETS)
    assert not app.exception
    assert shown(app)["sets"]["page"] == page


def test_the_address_says_which_set_it_is(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", f"/playlists/{SET_ID}", playlist())
    server.answer("GET", "/config", examples.config())
    app = open_page(SETS, set=SET_ID)
    assert not app.exception
    assert "<h1>&lt;b&gt;Friday</h1>" in page_text(app)
    data = shown(app)["set"]
    assert data["set"] == playlist()
    assert [form["name"] for form in data["formats"]] == ["m3u8"]


def test_tracks_are_handed_over_to_the_planner(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", "/health", HEALTH)
    app = open_page(SETS, new="1")
    assert not app.exception
    data = shown(app)["planner"]
    assert data["tracks"] is None
    assert {curve["name"] for curve in data["curves"]} >= {"peak", "flat"}
    app.session_state["kept"].set_tracks = ["a", "b"]
    assert shown(app.run())["planner"]["tracks"] == ["a", "b"]


def test_a_set_that_is_gone_leads_back_to_the_others(server: Any, api_url: Any) -> None:
    api_url(server.url)
    gone = "There is no playlist 'x'."
    server.problem("GET", "/playlists/x", 404, code="playlist_not_found", detail=gone)
    page = written(PlaylistPage, {"playlists": [], "next_cursor": None})
    server.answer("GET", "/playlists?limit=50", page)
    app = open_page(SETS, set="x")
    assert not app.exception
    assert "no playlist" in texts(app.error)
    app.button[0].click().run()
    assert "set" not in app.query_params
    assert not app.error


PLANNER = ("planner", "pool", "pins", "curve", "finder", "facts")
SET = ("set", "order", "step", "preview", "charts", "export", "finder", "facts")


def words_of(*scripts: str) -> set[str]:
    text = "".join((FOLDER / f"{name}.js").read_text() for name in scripts)
    grades = {"good", "fair", "poor"} if "sets/facts" in scripts else set()
    return {*re.findall(r"\bwords\.(\w+)", text), "close"} | grades


@pytest.mark.parametrize(
    ("words", "scripts"),
    [
        (list_words, ["sets/list"]),
        (planner_words, [f"sets/{name}" for name in PLANNER]),
        (set_words, ["wheel/wheel", *(f"sets/{name}" for name in SET)]),
    ],
    ids=["list", "planner", "set"],
)
def test_each_component_has_every_word_that_it_shows(
    words: Callable[[], dict[str, Any]], scripts: list[str]
) -> None:
    """A word that is missing is "undefined" on the screen."""
    assert words_of(*scripts) <= words().keys()


def test_no_word_is_left_over() -> None:
    names = [path.stem for path in (FOLDER / "sets").glob("*.js")]
    used = words_of("wheel/wheel", *(f"sets/{name}" for name in names))
    assert list_words().keys() | planner_words().keys() | set_words().keys() == used
