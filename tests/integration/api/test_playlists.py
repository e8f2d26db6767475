"""Playlists over REST: planned, reordered, exported, deleted."""

import http.client
import io
import json
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.library.intake.importing import refer_to
from tests.conditions import wait_until
from tests.integration.api.apps import open_client, run_here, serve, services_of, sweep, wav_bytes
from tests.library_records import make_record, track_id


@pytest.fixture
def crate(tmp_path: Path) -> Iterator[TestClient]:
    """An app with eight tracks, of which only the first one's file is still there."""
    with open_client(tmp_path) as client:
        library = services_of(client).library
        there = tmp_path / "0.wav"
        there.touch()
        for n in range(8):
            record = make_record(
                n,
                artist=f"Artist {n % 4}",
                tempo_bpm=124.0 + n / 2,
                camelot=f"{n % 3 + 7}A",
                key="A minor" if n % 3 else None,
                energy=3 + n % 5,
                duration_s=300.0,
                beats_s=[0.5 + 0.48 * i for i in range(64)],
                downbeats_s=[0.5 + 1.92 * i for i in range(16)],
            )
            if n == 0:
                record.files = [refer_to(there)]
            library.put(record)
        yield client


def create(client: Any, **wishes: Any) -> Any:
    answer = client.post("/playlists", json={"name": "Dark/Techno: Set", **wishes})
    assert answer.status_code == 201, answer.text
    assert client.get(answer.headers["location"]).json() == answer.json()
    return answer.json()


def test_a_planned_set_keeps_to_its_wishes_and_says_why(crate: Any) -> None:
    playlist = create(
        crate, n_tracks=5, curve="peak", start=track_id(3), never=[track_id(0)], artist_gap=2
    )
    ids = [track["id"] for track in playlist["tracks"]]
    assert len(ids) == 5
    assert ids[0] == track_id(3)
    assert track_id(0) not in ids
    assert [(s["from"], s["to"]) for s in playlist["transitions"]] == list(pairwise(ids))
    assert all(step["reasons"] for step in playlist["transitions"])


def test_what_cannot_be_met_is_said(crate: Any) -> None:
    """Eight tracks of five minutes are no three hours."""
    playlist = create(crate, duration_s=10_800, curve=[[0, 1], [1, 10]])
    assert {relaxed["wish"] for relaxed in playlist["relaxed"]} >= {"duration_s"}


def test_one_track_is_a_set(crate: Any) -> None:
    playlist = create(crate, among=[track_id(2)], duration_s=3600)
    assert [track["id"] for track in playlist["tracks"]] == [track_id(2)]
    assert playlist["transitions"] == []


def test_a_given_order_is_kept_and_can_be_changed(crate: Any) -> None:
    order = [track_id(4), track_id(1), track_id(2)]
    playlist = create(crate, tracks=order)
    assert [track["id"] for track in playlist["tracks"]] == order
    path = f"/playlists/{playlist['id']}"
    answer = crate.put(f"{path}/tracks", json={"tracks": order[::-1]})
    assert [track["id"] for track in answer.json()["tracks"]] == order[::-1]
    assert crate.get(path).json()["transitions"][0]["from"] == order[-1]
    for bad in ([], ["0" * 64]):
        before = crate.get(path).json()
        assert crate.put(f"{path}/tracks", json={"tracks": bad}).status_code in (404, 422)
        assert crate.get(path).json() == before


def test_a_new_order_is_rated_by_the_wishes_of_the_set(crate: Any) -> None:
    """Score, length and curve were gone as soon as two tracks changed places."""
    planned = create(crate, n_tracks=5, curve="peak", max_pitch_percent=3)
    path = f"/playlists/{planned['id']}"
    order = planned["order"]
    turned = crate.put(f"{path}/tracks", json={"tracks": order[::-1]}).json()
    assert turned["order"] == order[::-1]
    assert turned["request"] == planned["request"]
    assert turned["wanted_energy"] == planned["wanted_energy"]
    assert len(turned["starts_s"]) == 5
    assert turned["curve_fit"] < planned["curve_fit"]
    back = crate.put(f"{path}/tracks", json={"tracks": order}).json()
    assert back == planned


def test_the_second_of_two_windows_is_told_that_the_set_has_changed(crate: Any) -> None:
    """The later one overwrote what the earlier one had done."""
    order = [track_id(n) for n in range(3)]
    playlist = create(crate, tracks=order)
    path = f"/playlists/{playlist['id']}"
    seen = crate.get(path).headers["etag"]
    assert seen == f'"{playlist["version"]}"'
    first = crate.put(f"{path}/tracks", json={"tracks": order[:2]}, headers={"If-Match": seen})
    assert first.headers["etag"] != seen
    late = crate.put(f"{path}/tracks", json={"tracks": order[1:]}, headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "playlist_changed")
    assert crate.get(path).json() == first.json()
    again = {"If-Match": first.headers["etag"]}
    assert crate.put(f"{path}/tracks", json={"tracks": order}, headers=again).status_code == 200


def test_the_list_is_paged_newest_first_and_deleted_ones_are_gone(crate: Any) -> None:
    ids = [create(crate, tracks=[track_id(n)])["id"] for n in range(3)][::-1]
    seen, url = [], "/playlists?limit=2"
    while url:
        answer = crate.get(url)
        seen += [playlist["id"] for playlist in answer.json()["playlists"]]
        url = answer.links.get("next", {}).get("url")
    assert seen == ids
    assert crate.delete(f"/playlists/{ids[0]}").status_code == 204
    assert crate.get(f"/playlists/{ids[0]}").status_code == 404
    assert crate.delete(f"/playlists/{ids[0]}").json()["code"] == "playlist_not_found"
    assert crate.get("/playlists?cursor=x").json()["field"] == "cursor"


def test_every_format_that_is_listed_can_be_had(crate: Any) -> None:
    """An export that fails is found at the gig."""
    playlist = create(crate, tracks=[track_id(0), track_id(1)])
    assert {"rekordbox", "m3u8", "traktor", "serato", "csv"} <= set(playlist["exports"])
    formats = {form["name"]: form for form in crate.get("/config").json()["exports"]}
    assert [*formats] == [*playlist["exports"]]
    assert formats["rekordbox"]["needs_target"]
    for name, url in playlist["exports"].items():
        answer = crate.get(url, params={"target": "/Volumes/USB/Set"})
        assert answer.status_code == 200, (name, answer.text)
        assert answer.content
        assert "/" not in answer.headers["content-disposition"].split("filename*=")[0]


def test_exports_name_files_of_the_target_and_nothing_of_this_machine(
    crate: Any, tmp_path: Path
) -> None:
    """A server's paths mean nothing on a DJ's machine, and are nobody's business."""
    playlist = create(crate, tracks=[track_id(0), track_id(1)])
    answer = crate.get(playlist["exports"]["rekordbox"], params={"target": "D:\\Music"})
    locations = [t.get("Location") for t in ET.fromstring(answer.content).iter("TRACK")]
    assert "file://localhost/D:/Music/0.wav" in locations
    m3u8 = crate.get(playlist["exports"]["m3u8"])
    assert m3u8.text.splitlines()[-1] == "1.wav"
    assert str(tmp_path) not in m3u8.text + answer.text
    (warning,) = json.loads(m3u8.headers["x-stemcrate-warnings"])
    assert "Title 001" in warning
    here = {"target": "/Music", "system": "macos"}
    traktor = crate.get(playlist["exports"]["traktor"], params=here)
    assert 'VOLUME="Macintosh HD"' in traktor.text
    foreign = crate.get(playlist["exports"]["traktor"], params={**here, "target": "D:\\Music"})
    assert (foreign.status_code, foreign.json()["field"]) == (422, "target")
    refused = crate.get(playlist["exports"]["rekordbox"])
    assert (refused.status_code, refused.json()["field"]) == (422, "target")


def test_a_format_of_several_files_is_one_zip(crate: Any) -> None:
    playlist = create(crate, tracks=[track_id(0)])
    answer = crate.get(playlist["exports"]["serato"], params={"target": "/Volumes/USB"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        assert pack.testzip() is None
        assert any(name.endswith(".crate") for name in pack.namelist())


def test_the_pack_holds_audio_and_playlists_and_leaves_nothing_behind(
    client: Any, tmp_path: Path
) -> None:
    """What was staged for a ZIP of gigabytes would fill the disk."""
    song = wav_bytes(1.0)
    job = client.post("/library/tracks", files=[("file", ("Band - Song.wav", song))]).json()["job"]
    run_here(client, job["job_id"])
    sweep(client)
    (track,) = client.get("/library/tracks").json()["tracks"]
    playlist = create(client, tracks=[track["id"]])
    answer = client.get(playlist["exports"]["pack"])
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        assert pack.testzip() is None
        names = pack.namelist()
    assert any(name.startswith("Music/") and name.endswith(".wav") for name in names)
    assert {"README.txt", "pack.json"} <= set(names)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_client_that_leaves_in_the_middle_of_a_pack_leaves_nothing_behind(tmp_path: Path) -> None:
    """It is made while it is sent: what is not asked for any more is not made either."""
    song = tmp_path / "long.wav"
    with song.open("wb") as file:
        file.truncate(64 * 2**20)
    with open_client(tmp_path) as client:
        services_of(client).library.put(make_record(0, paths=(str(song),)))
        url = create(client, tracks=[track_id(0)])["exports"]["pack"]
    with serve(tmp_path) as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=30)
        connection.request("GET", url)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["content-length"]) == (200, None)
        assert answer.read(4) == b"PK\3\4"
        assert [path.name[:6] for path in (tmp_path / "downloads").iterdir()] == [".pack-"]
        answer.close()
        connection.close()
        wait_until(lambda: not list((tmp_path / "downloads").iterdir()))


def test_more_json_than_a_library_has_tracks_is_refused_unread(crate: Any) -> None:
    """Unlike an upload it stands in memory: whoever sent enough of it stopped the server."""
    body = b'{"name": "' + b"x" * (1 << 24) + b'"}'
    for method, path in (("POST", "/playlists"), ("PUT", "/playlists/x/tracks")):
        for content in (body, iter([body])):  # with its length said before, and without
            headers = {"Content-Type": "application/json"}
            answer = crate.request(method, path, content=content, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
            assert answer.headers["content-type"] == "application/problem+json"


def test_head_of_a_pack_makes_nothing_of_it(crate: Any, tmp_path: Path) -> None:
    """A set of thirty tracks takes minutes."""
    playlist = create(crate, tracks=[track_id(0), track_id(1)])
    answer = crate.head(playlist["exports"]["pack"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/zip"
    (warning,) = json.loads(answer.headers["x-stemcrate-warnings"])
    assert "Title 001" in warning
    assert list((tmp_path / "downloads").iterdir()) == []


def test_more_warnings_than_a_header_holds_are_counted(client: Any) -> None:
    """Clients and proxies refuse an answer whose headers are too long."""
    library = services_of(client).library
    for number in range(60):
        library.put(make_record(number, title=f"{number} " + "ü" * 150))
    playlist = create(client, tracks=[track_id(number) for number in range(60)])
    told = client.get(playlist["exports"]["m3u8"]).headers["x-stemcrate-warnings"]
    assert len(told) <= 4096
    warnings = json.loads(told)
    assert "'Nobody - 0 üü" in warnings[0]
    assert warnings[-1] == f"{60 - len(warnings) + 1} more warnings."


def test_a_track_that_left_the_library_is_told_and_left_out(crate: Any) -> None:
    playlist = create(crate, tracks=[track_id(0), track_id(1)])
    crate.delete(f"/library/tracks/{track_id(1)}")
    view = crate.get(f"/playlists/{playlist['id']}").json()
    assert view["gone"] == [track_id(1)]
    answer = crate.get(playlist["exports"]["m3u8"])
    assert answer.text.splitlines()[-1] == "0.wav"
    assert "no longer in the library" in answer.headers["x-stemcrate-warnings"]
    crate.delete(f"/library/tracks/{track_id(0)}")
    assert crate.get(playlist["exports"]["m3u8"]).json()["code"] == "artefact_not_found"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wishes", "status"),
    [
        ({"name": ""}, 422),
        ({"name": "\u0000"}, 422),
        ({"duration_s": 60, "n_tracks": 3}, 422),
        ({"curve": "sideways"}, 422),
        ({"curve": [[1, 5], [0, 5]]}, 422),
        ({"curve": [[n / 1000, 5] for n in range(1001)]}, 422),
        ({"must_play": ["0" * 64]}, 422),
        ({"among": ["0" * 64]}, 404),
        ({"tracks": ["0" * 64]}, 404),
        ({"colour": "red"}, 422),
        ({"duration_s": -1}, 422),
    ],
)
def test_wishes_that_make_no_sense_leave_nothing(
    crate: Any, wishes: dict[str, Any], status: int
) -> None:
    answer = crate.post("/playlists", json={"name": "Set", **wishes})
    assert answer.status_code == status, answer.text
    assert crate.get("/playlists").json()["playlists"] == []


def test_an_unknown_format_lists_those_that_there_are(crate: Any) -> None:
    playlist = create(crate, tracks=[track_id(0)])
    answer = crate.get(f"/playlists/{playlist['id']}/export/cassette")
    assert (answer.status_code, answer.json()["code"]) == (422, "unsupported_format")
    assert "rekordbox" in answer.json()["hint"]


def test_a_pitch_limit_close_to_zero_is_a_limit(crate: Any) -> None:
    """Dividing by the smallest float overflowed."""
    playlist = create(crate, n_tracks=3, max_pitch_percent=5e-324)
    assert len(playlist["tracks"]) == 3
    track = playlist["tracks"][0]["id"]
    answer = crate.get(f"/library/tracks/{track}/compatible", params={"max_pitch_percent": 5e-324})
    assert answer.status_code == 200
