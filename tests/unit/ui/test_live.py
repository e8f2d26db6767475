"""The page Live."""

import json
from typing import Any

from stemcrate.schemas.decks import DecksReport
from stemcrate.schemas.library import CompatibleTracks
from tests.unit.ui.examples import written
from tests.unit.ui.opening import open_page, page_text, texts
from tests.unit.ui.test_sets import SET_ID, playlist, track
from ui.places import LIVE

SCORES = dict.fromkeys(("harmony", "tempo", "energy", "loudness", "timbre", "vocals"), 0.9)
TRANSITION = {
    "from": "a",
    "to": "b",
    "score": 0.87,
    **SCORES,
    "pitch_change_percent": 1.0,
    "mix_out_s": 200.0,
    "mix_in_s": 0.0,
    "overlap_s": 30.0,
    "overlap_bars": 16,
    "vocal_clash_s": 0.0,
    "drops": [],
    "reasons": ["Same key <8A>."],
}


def deck(number: int, **changes: Any) -> dict[str, Any]:
    playing = {
        "is_loaded": True,
        "is_playing": True,
        "title": f"<b>Title {number}",
        "camelot": "8A",
    }
    return {"number": number, **playing, "tempo_bpm": 126.5, **changes}


def report(*decks: dict[str, Any], **changes: Any) -> Any:
    device = {
        "id": "00",
        "name": "sc6000",
        "software": "JP13",
        "version": "2",
        "address": "10.0.0.2",
        "state": "connected",
        "player": 3,
        "decks": decks,
    }
    return written(DecksReport, {"is_on": True, "devices": [device], **changes})


def compatible(*ids: str) -> Any:
    tracks = [{"track": track(i), "transition": TRANSITION} for i in ids]
    return written(CompatibleTracks, {"tracks": tracks})


def opened(server: Any, api_url: Any, answer: Any) -> Any:
    api_url(server.url)
    server.answer("GET", "/decks", answer)
    app = open_page(LIVE)
    assert not app.exception
    assert not app.error
    return app


def test_without_the_setting_the_page_says_how(server: Any, api_url: Any) -> None:
    app = opened(server, api_url, written(DecksReport, {"is_on": False}))
    assert "`DECKS=on`" in texts(app.info)


def test_the_page_waits_for_a_player(server: Any, api_url: Any) -> None:
    app = opened(server, api_url, written(DecksReport, {"is_on": True}))
    assert "No player is heard" in texts(app.info)


def test_what_is_heard_most_decides_what_mixes_next(server: Any, api_url: Any) -> None:
    """What is on a deck already was suggested."""
    server.answer("GET", "/library/tracks/a/compatible?limit=10", compatible("c", "b"))
    faded = deck(1, track_id="c", fader=0.1)
    heard = deck(2, track_id="a", artist="Nina", fader=0.9, bar=17, beat_in_bar=3, position_s=65.4)
    app = opened(server, api_url, report(faded, heard))
    shown = page_text(app)
    for words in (
        "sc6000 3",
        "Nina – &lt;b&gt;Title 2",
        "126.5 BPM",
        "Bar 17, beat 3",
        "○○●○",
        "1:05",
        "Fader 90 %",
        "Same key &lt;8A&gt;.",
        "Title b",
    ):
        assert words in shown
    assert "Title c" not in shown
    assert "<b>" not in shown


def test_a_track_that_the_library_lacks_goes_by_key_and_tempo(server: Any, api_url: Any) -> None:
    path = "/library/tracks?mixes_with=8A&tempo_min_bpm=118.91&tempo_max_bpm=134.09&limit=8"
    page = {"tracks": [track("x")], "next_cursor": None, "total": 1}
    server.answer("GET", path, page)
    app = opened(server, api_url, report(deck(1)))
    assert "Title x" in page_text(app)
    assert "is not in the library" in texts(app.caption)


def test_what_was_played_becomes_a_set(server: Any, api_url: Any) -> None:
    common = {"device_id": "00", "deck": 1, "artist": None, "path": None}
    played = [
        {"at": f"2026-11-30T20:0{n}:00Z", "title": title, "track_id": track_id, **common}
        for n, (title, track_id) in enumerate(
            [("First", "a"), ("Unknown", None), ("Second", "b"), ("First", "a")]
        )
    ]
    server.answer("POST", "/playlists", playlist(), status=201)
    server.answer("GET", f"/playlists/{SET_ID}", playlist())
    app = opened(server, api_url, report(deck(1, is_playing=False), played=played))
    assert "1 track is not in the library" in texts(app.caption)
    next(button for button in app.button if button.label == "Keep as a set").click().run()
    (sent,) = [json.loads(r.body) for r in server.requests if r.path == "/playlists"]
    assert sent["tracks"] == ["a", "b"]
    assert sent["name"].startswith("Live, 30 Nov 2026")
