"""Corrections over REST: set, read, undo, two writers, and exports that hold them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from stemcrate.client import ApiError, Client
from stemcrate.schemas.corrections import CorrectionsChange
from stemcrate.schemas.facts import GridSegment
from tests.integration.api.apps import open_client, serve, services_of
from tests.library_records import make_record, track_id

TRACK = f"/library/tracks/{track_id(1)}"
RHYTHM: dict[str, Any] = {
    "tempo_bpm": 64.0,
    "time_signature": "4/4",
    "beat_grid": [GridSegment(start_s=0.5, tempo_bpm=64.0, n_beats=192, first_beat_in_bar=1)],
    "cues": [{"time_s": 0.5, "name": "Start"}, {"time_s": 30.5, "name": "Drop"}],
    "key": "A minor",
    "camelot": "8A",
}


@pytest.fixture
def crate(tmp_path: Path) -> Iterator[TestClient]:
    """An app whose library holds one track."""
    with open_client(tmp_path) as client:
        services_of(client).library.put(
            make_record(1, title="Found", tags={"genre": "House"}, **RHYTHM)
        )
        yield client


def correct(client: TestClient, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    answer = client.patch(TRACK, json=fields, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    return answer.json()


def test_a_correction_is_shown_beside_what_was_found(crate: TestClient) -> None:
    details = correct(
        crate, title="Right", genre="Techno", grid=[{"op": "scale", "by": "2"}], rating=3
    )
    assert details == crate.get(TRACK).json()
    assert (details["title"], details["tempo_bpm"], details["rating"]) == ("Right", 128.0, 3)
    assert (details["facts"]["tempo_bpm"], details["tags"]["genre"]) == (128.0, "Techno")
    assert details["corrected"] == ["title", "genre", "rating", "grid"]
    made = details["corrections"]
    assert made["corrected_at"].keys() == {"title", "genre", "rating", "grid"}
    assert made["values"]["grid"]["segments"][0]["tempo_bpm"] == 128.0
    assert (made["analysed"]["title"], made["analysed"]["tempo_bpm"]) == ("Found", 64.0)
    assert "key" not in made["analysed"]
    assert made["tags"] == {"genre": "House"}

    details = correct(crate, title=None, grid=None)
    assert (details["title"], details["tempo_bpm"], details["rating"]) == ("Found", 64.0, 3)
    assert details["corrected"] == ["genre", "rating"]
    assert details["corrections"]["n_undo"] == 2
    back = crate.post(f"{TRACK}/corrections/undo").json()
    assert (back["title"], back["corrections"]["n_undo"]) == ("Right", 1)


def test_the_last_of_two_tabs_is_told(crate: TestClient) -> None:
    seen = {"If-Match": crate.get(TRACK).headers["etag"]}
    correct(crate, headers=seen, title="One")
    late = crate.patch(TRACK, json={"title": "Two"}, headers=seen)
    problem = late.json()
    assert (late.status_code, problem["code"]) == (412, "track_changed")
    assert "Read it again" in problem["hint"]
    assert crate.post(f"{TRACK}/corrections/undo", headers=seen).status_code == 412
    assert crate.get(TRACK).json()["title"] == "One"
    fresh = crate.get(TRACK).headers["etag"]
    assert crate.patch(TRACK, json={}, headers={"If-Match": f"W/{fresh}"}).status_code == 412
    correct(crate, headers={"If-Match": f'"other", {fresh}'}, title="Two")
    correct(crate, headers={"If-Match": "*"}, title="Three")


def test_another_analysis_makes_another_version(crate: TestClient) -> None:
    """A shift by half a beat was meant for the grid that was seen."""
    seen = crate.get(TRACK).headers["etag"]
    library = services_of(crate).library
    library.change(track_id(1), lambda record: setattr(record.facts, "tempo_bpm", 65.0))
    assert crate.patch(TRACK, json={}, headers={"If-Match": seen}).status_code == 412


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"key": "H"}, 422, "invalid_option"),
        ({"tempo": 120}, 422, "invalid_request"),
        ({"rating": 7}, 422, "invalid_request"),
        ({"grid": [{"op": "turn"}]}, 422, "invalid_request"),
        ({"cues": [{"time_s": 1e5}]}, 422, "invalid_option"),
        ({"grid": [{"op": "lock"}, {"op": "shift", "beats": 1}]}, 409, "grid_locked"),
    ],
)
def test_bad_corrections_leave_nothing_behind(
    crate: TestClient, fields: Any, status: int, code: str
) -> None:
    before = crate.get(TRACK).json()
    answer = crate.patch(TRACK, json={"title": "Half", **fields})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert crate.get(TRACK).json() == before


def test_a_track_that_is_not_there_cannot_be_corrected(crate: TestClient) -> None:
    for track in (track_id(2), "x"):
        answer = crate.patch(f"/library/tracks/{track}", json={"title": "x"})
        assert (answer.status_code, answer.json()["code"]) == (404, "track_not_found")


def test_exports_hold_corrected_facts(crate: TestClient) -> None:
    correct(
        crate,
        title="Right",
        album="LP",
        year=1999,
        rating=4,
        key="9B",
        grid=[{"op": "scale", "by": "2"}, {"op": "shift", "beats": 0.5}],
        cues=[
            {"time_s": 8.0, "name": "In", "hot_cue": 3, "colour": "#112233"},
            {"time_s": 16.0, "end_s": 20.0, "name": "Loop", "hot_cue": 1},
            {"time_s": 40.0, "name": "Memory"},
        ],
    )
    playlist = crate.post("/playlists", json={"name": "x", "tracks": [track_id(1)]}).json()

    def export(name: str) -> bytes:
        address = f"/playlists/{playlist['id']}/export/{name}"
        answer = crate.get(address, params={"target": "/Volumes/USB"})
        assert answer.status_code == 200, answer.text
        return answer.content

    (track,) = ElementTree.fromstring(export("rekordbox")).iterfind("COLLECTION/TRACK")
    names = ("Name", "Album", "Year", "Rating", "AverageBpm")
    assert [track.get(name) for name in names] == ["Right", "LP", "1999", "204", "128.00"]
    assert track.get("Tonality") == "G"
    (tempo,) = track.iter("TEMPO")
    assert (tempo.get("Inizio"), tempo.get("Bpm"), tempo.get("Battito")) == ("0.266", "128.00", "4")
    marks = [(m.get("Num"), m.get("Start"), m.get("End")) for m in track.iter("POSITION_MARK")]
    assert marks == [("2", "8.000", None), ("0", "16.000", "20.000"), ("-1", "40.000", None)]

    (entry,) = (
        e for e in ElementTree.fromstring(export("traktor")).iter("ENTRY") if e.get("TITLE")
    )
    info, key = entry.find("INFO"), entry.find("MUSICAL_KEY")
    assert info is not None
    assert key is not None
    assert (entry.get("TITLE"), info.get("RANKING"), key.get("VALUE")) == ("Right", "204", "7")
    grid = [cue for cue in entry.iter("CUE_V2") if cue.get("NAME") == "AutoGrid"]
    assert [round(float(cue.get("START", 0)), 3) for cue in grid] == [734.375]

    assert b"#EXTINF:180,Nobody - Right" in export("m3u8")
    assert b"Right" in export("csv")
    assert b'"tempo_bpm": 128.0' in export("json")


def test_the_client_corrects_and_undoes(tmp_path: Path) -> None:
    with serve(tmp_path) as (host, port), Client(f"http://{host}:{port}") as client:
        from core.library.library import Library
        from tests.integration.api.apps import settings_for

        library = Library(tmp_path, settings_for(tmp_path).resolved_database_url())
        library.put(make_record(1, title="Found", **RHYTHM))
        seen = client.get_track(track_id(1))
        changed = client.correct_track(
            track_id(1), CorrectionsChange(title="Right", key=None), version=seen.version
        )
        assert (changed.title, changed.corrections.values.title) == ("Right", "Right")
        with pytest.raises(ApiError) as raised:
            client.correct_track(track_id(1), CorrectionsChange(rating=1), version=seen.version)
        assert raised.value.code == "track_changed"
        assert client.undo_correction(track_id(1), version=changed.version).title == "Found"
