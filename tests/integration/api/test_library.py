"""The library over REST: upload, job, search, what goes with what, removal."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from fastapi.testclient import TestClient
from PIL import Image

from core.audio.tagging.tag_writer import write_tags
from core.audio.tagging.tags import Cover, Tags
from tests.integration.api.apps import (
    files_below,
    open_client,
    run_here,
    services_of,
    submit,
    sweep,
    wav_bytes,
)
from tests.library_records import make_record, track_id

RATE = 22_050


def add(client: Any, *files: Any) -> Any:
    parts = [("file", (name, data)) for name, data in files]
    answer = client.post("/library/tracks", files=parts)
    adding = answer.json()
    assert answer.status_code == (202 if adding["job"] else 200), answer.text
    if adding["job"]:
        assert answer.headers["location"] == f"/job/{adding['job']['job_id']}"
        run_here(client, adding["job"]["job_id"])
        sweep(client)
    return adding


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An app whose library holds records without audio."""
    with open_client(tmp_path_factory.mktemp("crate")) as client:
        library = services_of(client).library
        for n in range(5):
            vector = {"mixture": [1.0, n / 10]}
            library.put(
                make_record(
                    n,
                    tempo_bpm=124.0 + n,
                    camelot="8A" if n < 3 else "3B",
                    energy=5,
                    vectors=vector,
                )
            )
        yield client


@pytest.mark.slow
def test_uploads_are_analysed_kept_and_forgotten(client: Any, tmp_path: Path) -> None:
    """The whole way of a file: in, found, known the second time, out with its bytes."""
    song = wav_bytes(6.0)
    first = add(client, ("Band - Söng.wav", song), ("notes.mp3", b"no music"))
    assert [(r["name"], r["code"]) for r in first["refused"]] == [("notes.mp3", "not_audio")]
    (line,) = client.get("/library/tracks", params={"text": "song band"}).json()["tracks"]
    assert (line["title"], line["artist"], line["is_missing"]) == ("Söng", "Band", False)
    assert line["tempo_bpm"] == pytest.approx(120, abs=1)

    details = client.get(f"/library/tracks/{line['id']}").json()
    assert details["facts"]["camelot"] == line["camelot"]
    assert (details["sample_rate"], details["bytes"]) == (RATE, len(song))
    assert str(tmp_path) not in str(details)

    again = add(client, ("other name.wav", song))
    assert (again["job"], again["known"]) == (None, [line["id"]])

    job_id = first["job"]["job_id"]
    job = client.get(f"/job/{job_id}").json()
    assert (job["kind"], job["tracks"][0]["id"]) == ("analysis", line["id"])
    (listed,) = client.get("/jobs").json()["jobs"]
    assert (listed["kind"], listed["model"]) == ("analysis", None)
    assert client.get(f"/job/{job_id}/outputs").json()["artefacts"] == []
    assert client.delete(f"/job/{job_id}").status_code == 204
    (line,) = client.get("/library/tracks").json()["tracks"]
    assert not line["is_missing"]

    assert client.delete(f"/library/tracks/{line['id']}").status_code == 204
    assert files_below(tmp_path / "uploads") == []
    assert client.get("/library/tracks").json()["tracks"] == []


def test_a_bad_upload_alone_leaves_nothing(client: Any, tmp_path: Path) -> None:
    """A refused request must not fill the disk."""
    assert add(client, ("a.wav", b"RIFF"))["refused"][0]["name"] == "a.wav"
    assert files_below(tmp_path / "uploads") == []
    for files, data in (([("file", ("a.wav", b""))], {"model": "auto"}), ([("nofile", "x")], {})):
        answer = client.post("/library/tracks", files=files, data=data)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
    assert files_below(tmp_path / "uploads") == []


@pytest.mark.slow
def test_the_tracks_of_a_job_bring_their_facts_and_stems(client: Any) -> None:
    """A job's facts come from its stems: analysing its upload again would lose them."""
    job_id = submit(client, "Band - Song.wav", stages="tempo,key")
    early = client.post(f"/library/tracks/from-job/{job_id}")
    assert (early.status_code, early.json()["code"]) == (409, "job_not_finished")
    run_here(client, job_id)
    added = client.post(f"/library/tracks/from-job/{job_id}").json()
    assert (len(added["added"]), added["refused"]) == (1, [])
    details = client.get(f"/library/tracks/{added['added'][0]}").json()
    assert details["stems"] == ["accompaniment", "vocals"]
    assert details["jobs"] == [job_id]
    manifest = client.get(f"/job/{job_id}/manifest").json()
    assert details["facts"]["camelot"] == manifest["tracks"][0]["analysis"]["camelot"]
    again = client.post(f"/library/tracks/from-job/{job_id}").json()
    assert (again["added"], again["known"]) == ([], added["added"])

    client.delete(f"/job/{job_id}")
    assert client.get("/library/tracks").json()["tracks"] == []


def test_an_upload_outlives_a_job_with_the_same_bytes(client: Any) -> None:
    """Deleting a job must not take a recording from the library."""
    add(client, ("song.wav", wav_bytes(0.5)))
    job_id = submit(client, "song.wav")
    assert client.delete(f"/job/{job_id}").status_code == 204
    (line,) = client.get("/library/tracks").json()["tracks"]
    assert not line["is_missing"]


def test_search_is_paged_by_links(crate: Any) -> None:
    seen, url = [], "/library/tracks?sort=tempo&descending=true&limit=2&key=Am"
    while url:
        answer = crate.get(url)
        seen += [track["tempo_bpm"] for track in answer.json()["tracks"]]
        url = answer.links.get("next", {}).get("url")
    assert seen == [126.0, 125.0, 124.0]


def test_what_goes_with_a_track(crate: Any) -> None:
    one = f"/library/tracks/{track_id(0)}"
    similar = crate.get(f"{one}/similar?limit=2").json()["tracks"]
    assert [found["track"]["id"] for found in similar] == [track_id(1), track_id(2)]
    compatible = crate.get(f"{one}/compatible").json()["tracks"]
    assert {found["track"]["id"] for found in compatible} == {track_id(1), track_id(2)}
    step = compatible[0]["transition"]
    assert (step["from"], step["to"]) == (track_id(0), compatible[0]["track"]["id"])
    assert any("8A" in reason for reason in step["reasons"])


def test_duplicates_are_listed(client: Any) -> None:
    library = services_of(client).library
    library.put(make_record(1, packets="same"))
    library.put(make_record(2, packets="same"))
    (group,) = client.get("/library/duplicates").json()["groups"]
    assert group["level"] == "packets"
    assert {track["id"] for track in group["tracks"]} == {track_id(1), track_id(2)}


def test_the_cover_is_served_as_it_was(client: Any) -> None:
    library = services_of(client).library
    cover = Cover(b"\x89PNG\r\n\x1a\n" + b"pixels", "image/png")
    record = make_record(1)
    record.cover = library.keep_cover(cover)
    library.put(record)
    library.put(make_record(2))
    url = client.get(f"/library/tracks/{track_id(1)}").json()["cover_url"]
    answer = client.get(url)
    assert (answer.content, answer.headers["content-type"]) == (cover.data, "image/png")
    none = client.get(f"/library/tracks/{track_id(2)}/cover")
    assert (none.status_code, none.json()["code"]) == (404, "artefact_not_found")


def give_cover(client: Any, n: int, cover: Cover) -> str:
    """Give a track of the library a cover; return where its small picture is."""
    library = services_of(client).library
    record = make_record(n)
    record.cover = library.keep_cover(cover)
    library.put(record)
    url: str = client.get(f"/library/tracks/{track_id(n)}").json()["thumbnail_url"]
    return url


def test_lists_get_a_small_picture_of_the_cover(client: Any) -> None:
    """Sixty rows of a table loaded covers of up to 10 MB each, again at every look."""
    file = io.BytesIO()
    Image.effect_noise((1200, 1200), 90).save(file, "PNG")
    url = give_cover(client, 1, Cover(file.getvalue(), "image/png"))
    answer = client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert len(answer.content) < 50_000 < len(file.getvalue())
    assert Image.open(io.BytesIO(answer.content)).size == (256, 256)
    assert answer.headers["cache-control"] == "private, max-age=86400"
    again = client.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    services_of(client).library.put(make_record(2))
    assert client.get(f"/library/tracks/{track_id(2)}").json()["thumbnail_url"] is None
    for path in (f"/library/tracks/{track_id(2)}/thumbnail", "/library/tracks/none/thumbnail"):
        assert client.get(path).status_code == 404


def test_a_cover_that_is_no_picture_is_tried_once(client: Any) -> None:
    cover = Cover(b"\x89PNG\r\n\x1a\n" + b"pixels", "image/png")
    url = give_cover(client, 1, cover)
    answer = client.get(url)
    assert (answer.status_code, answer.json()["code"]) == (404, "artefact_not_found")
    assert "max-age" not in answer.headers.get("cache-control", "")
    path, _ = services_of(client).library.cover_path(track_id(1)) or (Path(), "")
    made = path.with_name(f"{path.name}.webp")
    written_at = made.stat().st_mtime_ns
    assert client.get(url).status_code == 404
    assert (made.read_bytes(), made.stat().st_mtime_ns) == (b"", written_at)


def test_a_job_brings_the_cover_of_its_upload(client: Any, tmp_path: Path) -> None:
    """A manifest holds texts alone: the picture is read from the file."""
    path = tmp_path / "song.flac"
    soundfile.write(path, [[0.1, 0.2]] * RATE, RATE, format="FLAC")
    cover = Cover(b"\x89PNG\r\n\x1a\n" + b"pixels", "image/png")
    write_tags(path, Tags(title="Song", cover=cover), format="flac")
    add(client, ("song.flac", path.read_bytes()))
    (line,) = client.get("/library/tracks").json()["tracks"]
    assert client.get(f"/library/tracks/{line['id']}/cover").content == cover.data


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("key=H", "key"),
        ("mixes_with=13A", "mixes_with"),
        ("tempo_min_bpm=130&tempo_max_bpm=120", "tempo_min_bpm"),
        ("energy_min=nan", "energy_min"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("cursor=nonsense", "cursor"),
        ("sort=colour", "sort"),
        ("vocals=maybe", "vocals"),
    ],
)
def test_a_search_that_cannot_be_is_a_problem(crate: Any, query: str, field: str) -> None:
    answer = crate.get(f"/library/tracks?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("path", ["", "/similar", "/compatible", "/cover", "/thumbnail"])
@pytest.mark.parametrize("id", ["0" * 64, "nonsense", "%2e%2e%2fx"])
def test_a_track_that_is_not_there_is_not_found(crate: Any, path: str, id: str) -> None:
    answer = crate.get(f"/library/tracks/{id}{path}")
    assert answer.status_code == 404
    if "%" not in id:
        assert answer.json()["code"] == "track_not_found"


def test_an_empty_library_answers(client: Any) -> None:
    """Nothing to search must not be an error."""
    assert client.get("/library/tracks").json() == {"tracks": [], "next_cursor": None, "total": 0}
    assert client.get("/library/duplicates").json() == {"groups": []}
    answer = client.post("/playlists", json={"name": "Set", "duration_s": 3600})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
    assert client.get("/playlists").json()["playlists"] == []


@pytest.mark.slow
def test_the_same_bytes_twice_in_one_request_are_one_track(client: Any) -> None:
    flac = io.BytesIO()
    soundfile.write(flac, [[0.1, 0.2]] * RATE, RATE, format="FLAC")
    adding = add(client, ("a.flac", flac.getvalue()), ("b.flac", flac.getvalue()))
    assert adding["refused"] == []
    assert len(client.get(f"/job/{adding['job']['job_id']}").json()["tracks"]) == 1
    assert len(client.get("/library/tracks").json()["tracks"]) == 1


def test_collections_live_over_rest(client: Any) -> None:
    library = services_of(client).library
    for n in range(4):
        library.put(make_record(n, tempo_bpm=120.0 + n, camelot="8A", energy=n + 1))
    answer = client.post("/library/collections", json={"name": "A", "tracks": [track_id(1)]})
    assert answer.status_code == 201
    path = answer.headers["location"]
    body = {"add": [track_id(3), "unknown"], "name": "B"}
    assert client.patch(path, json=body).json()["n_tracks"] == 2
    smart = {"name": "S", "query": {"energy_max": 3}}
    assert client.post("/library/collections", json=smart).json()["n_tracks"] == 3
    listed = client.get("/library/collections").json()["collections"]
    assert [c["name"] for c in listed] == ["B", "S"]
    query = {"collection": listed[0]["id"], "sort": "tempo", "descending": True}
    found = client.get("/library/tracks", params=query).json()
    assert [t["id"] for t in found["tracks"]] == [track_id(3), track_id(1)]
    cells = client.get("/library/map", params=query | {"energy_max": 2}).json()["cells"]
    assert cells == [{"camelot": "8A", "tempo_bpm": 121, "n_tracks": 1}]
    for wrong in ({"name": "x", "tracks": ["a"], "query": {}}, {"name": "x", "query": {"q": 1}}):
        assert client.post("/library/collections", json=wrong).status_code == 422
    assert client.patch(path, json={"query": {}}).json()["code"] == "invalid_option"
    assert client.delete(path).status_code == 204
    assert client.get(path).json()["code"] == "collection_not_found"
    assert client.get("/library/tracks", params=query).status_code == 404
