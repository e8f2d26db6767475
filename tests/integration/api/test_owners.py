"""Two owners who try to see, guess, use and cancel what belongs to the other."""

import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.main import create_app
from core.library.library import Library
from stemcrate.client import ApiError, NamedFile
from stemcrate.schemas.batches import BatchInput
from stemcrate.schemas.collections import CollectionRequest
from stemcrate.schemas.corrections import CorrectionsChange
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.playlists import PlaylistRequest
from stemcrate.schemas.renders import MixRequest
from stemcrate.schemas.search import TrackQuery, TrackSearch
from stemcrate.schemas.transfers import TransferRequest
from stemcrate.schemas.webhooks import WebhookRequest
from tests.integration.api.apps import settings_for, wav_bytes
from tests.integration.api.owned import House, Owner, open_house

OPTIONS: dict[str, Any] = {"model": "spleeter", "stages": ["tempo", "descriptors"]}
NOBODYS_JOB = str(uuid.UUID(int=7 << 76 | 2 << 62 | 12345))
NOBODYS_TRACK = "f" * 64
TARGET = "s3://crates/of-all"


@dataclass
class Belongings:
    """Ids of all that an owner has, of which one song is the other's, too."""

    job: str
    shared_job: str
    track: str
    shared_track: str
    upload: str
    batch: str
    webhook: str
    render: str
    playlist: str
    collection: str
    import_: str
    ingest: str
    enrichment: str
    transfer: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    music = tmp_path_factory.mktemp("shared") / "Music"
    (music / "House").mkdir(parents=True)
    (music / "House" / "on the server.wav").write_bytes(wav_bytes(1.0, seed=9))
    settings = {
        "library_folders": [music],
        "enrichers": ["character"],
        "transfer_targets": [TARGET],
    }
    with open_house(tmp_path_factory.mktemp("owners"), **settings) as house:
        yield house


@pytest.fixture(scope="module")
def anna(house: House) -> Owner:
    return house.owner("anna")


@pytest.fixture(scope="module")
def ben(house: House) -> Owner:
    return house.owner("ben-2")


def make(house: House, owner: Owner, song: Path, seed: int) -> Belongings:
    """Let an owner have one of everything: of the shared song, and of one of their own."""
    client = owner.client
    own = song.with_name(f"own {seed}.wav")
    own.write_bytes(wav_bytes(1.0, seed=seed))
    shared_job = client.submit_job([song], OPTIONS).job_id
    job = client.submit_job([own], OPTIONS).job_id
    house.work(shared_job, job)
    tracks = {t.title: t.id for t in client.list_tracks().tracks}
    assert len(tracks) == 2, tracks
    track = tracks[own.stem] if own.stem in tracks else tracks[own.name]
    (shared_track,) = set(tracks.values()) - {track}
    render = client.create_render(MixRequest(job_id=job))
    house.render(render.id)
    hook = WebhookRequest(url="https://example.org/hook")
    request = CollectionRequest(name=f"crate {seed}", tracks=[track])
    return Belongings(
        job=job,
        shared_job=shared_job,
        track=track,
        shared_track=shared_track,
        upload=client.upload_file(own).id,
        batch=client.create_batch([BatchInput(sha256=track)], {"model": "spleeter"}).id,
        webhook=client.create_webhook(hook).id,
        render=render.id,
        playlist=client.create_playlist(PlaylistRequest(name=f"set {seed}", n_tracks=1)).id,
        collection=client.create_collection(request).id,
        import_=client.create_import("Music/House").id,
        ingest=client.create_ingest(["https://example.org/song.flac"]).id,
        enrichment=client.create_enrichment([track]).id,
        transfer=client.create_transfer(job, TransferRequest(target=TARGET)).id,
    )


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("songs") / "shared.wav"
    path.write_bytes(wav_bytes(1.0, seed=5))
    return path


@pytest.fixture(scope="module")
def annas(house: House, anna: Owner, song: Path) -> Belongings:
    return make(house, anna, song, 1)


@pytest.fixture(scope="module")
def bens(house: House, ben: Owner, song: Path, annas: Belongings) -> Belongings:
    assert annas
    return make(house, ben, song, 2)


BODIES: dict[str, dict[str, Any]] = {
    "rename_playlist": {"json": {"name": "mine"}},
    "reorder_playlist": {"json": {"tracks": [NOBODYS_TRACK]}},
    "create_transfer": {"json": {"target": TARGET}},
    "change_collection": {"json": {"name": "mine"}},
    "correct_track": {"json": {"title": "mine"}},
    "append_upload": {
        "headers": {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
        "data": b"x",
    },
}
PLACES = {"{index}": "0", "{label}": "original", "{segment}": "0", "{kind}": "dat"}
PLACES |= {"{format}": "m3u8", "{track}": "x", "{delivery}": "msg_0", "{name}": "master.m3u8"}
KINDS = {
    "/job/": "job",
    "/download/": "job",
    "/library/tracks/from-job/": "job",
    "/library/tracks/": "track",
    "/library/collections/": "collection",
    "/library/imports/": "import_",
    "/library/enrichments/": "enrichment",
    "/ingest/": "ingest",
    "/transfers/": "transfer",
    "/uploads/": "upload",
    "/batches/": "batch",
    "/webhooks/": "webhook",
    "/renders/": "render",
    "/stream/{id}/0/": "job",
    "/stream/": "track",
    "/playlists/": "playlist",
}


def operations() -> Iterator[tuple[str, str, str]]:
    """Yield id, method and path of each operation on one thing."""
    for path, methods in create_app(settings_for("unused")).openapi()["paths"].items():
        for place, value in PLACES.items():
            path = path.replace(place, value)
        for method, operation in methods.items():
            if "{id}" in path:
                yield operation["operationId"], method.upper(), path


OPERATIONS = list(operations())


@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS, ids=[o[0] for o in OPERATIONS])
def test_what_belongs_to_another_is_like_what_does_not_exist(
    house: House,
    anna: Owner,
    ben: Owner,
    annas: Belongings,
    bens: Belongings,
    name: str,
    method: str,
    path: str,
) -> None:
    """Not one operation says more about another's than about an id that nobody has."""
    start = next(start for start in KINDS if path.startswith(start))
    id = getattr(annas, KINDS[start])
    nobodys = {64: NOBODYS_TRACK, 36: NOBODYS_JOB, 32: "0" * 32}[len(id)]
    answers = []
    for asked in (id, nobodys):
        answer = ben.ask(method, path.replace("{id}", asked), **BODIES.get(name, {}))
        assert answer.status_code == 404, answer.text
        answers.append(answer.json() | {"instance": ""})
    assert str(answers[0]).replace(id, "ID") == str(answers[1]).replace(nobodys, "ID")


def test_nothing_of_the_tries_has_had_an_effect(
    house: House, anna: Owner, ben: Owner, annas: Belongings, bens: Belongings
) -> None:
    client = anna.client
    assert client.get_job(annas.job).state == "completed"
    assert client.get_upload(annas.upload).is_complete
    assert client.get_render(annas.render).state == "completed"
    assert client.get_playlist(annas.playlist).name == "set 1"
    assert client.get_collection(annas.collection).name == "crate 1"
    assert client.get_track(annas.track).title != "mine"
    assert client.get_import(annas.import_).state == "queued"
    assert client.get_ingest(annas.ingest).state == "queued"
    assert client.get_enrichment(annas.enrichment).state == "queued"


def test_lists_have_only_what_is_ones_own(
    house: House, anna: Owner, ben: Owner, annas: Belongings, bens: Belongings
) -> None:
    for owner, own in ((anna, annas), (ben, bens)):
        client = owner.client
        assert {j.job_id for j in client.list_jobs().jobs} == {own.job, own.shared_job}
        assert {t.id for t in client.list_tracks().tracks} == {own.track, own.shared_track}
        assert client.list_tracks(TrackQuery(text="own")).total == 1
        assert [p.id for p in client.list_playlists().playlists] == [own.playlist]
        assert [c.id for c in client.list_collections().collections] == [own.collection]
        assert [i.id for i in client.list_imports().imports] == [own.import_]
        assert [i.id for i in client.list_ingests().ingests] == [own.ingest]
        assert [run.id for run in client.list_enrichments().runs] == [own.enrichment]
        assert sum(cell.n_tracks for cell in client.get_map(TrackSearch()).cells) <= 2
        others = {annas.track, bens.track} - {own.track}
        similar = client.list_similar(own.shared_track)
        assert others.isdisjoint(found.track.id for found in similar.tracks)
        compatible = client.list_compatible(own.shared_track)
        assert others.isdisjoint(found.track.id for found in compatible.tracks)
        duplicates = client.list_duplicates().model_dump_json()
        assert not any(other in duplicates for other in others)
        assert client.list_jobs().next_cursor is None


def test_ones_own_plays_and_is_packed(ben: Owner, bens: Belongings, tmp_path: Path) -> None:
    """Players and packs have processes of their own, which have to know whose things they open."""
    player = f"/job/{bens.job}/tracks/0/lanes/vocals/segments/0"
    recording = f"/library/tracks/{bens.track}/original/segments/0"
    for path in (player, recording, f"/renders/{bens.render}/file", f"/download/{bens.job}/all"):
        answer = ben.ask("GET", path)
        assert answer.status_code == 200, answer.text
        assert answer.content
    assert ben.ask("GET", f"/playlists/{bens.playlist}/export/pack").content[:2] == b"PK"


def test_the_report_on_failures_names_nobody_elses(tmp_path: Path) -> None:
    """Its reader looks after the installation, and is no reader of everybody's titles."""
    with open_house(tmp_path) as house:
        anna, ben = house.owner("anna"), house.owner("ben")
        path = tmp_path / "secret title.wav"
        path.write_bytes(wav_bytes(0.5, seed=3))
        job_id = anna.client.submit_job([path], OPTIONS).job_id
        (track,) = anna.client.get_manifest(job_id).tracks
        upload = house.settings.data_dir / "uploads" / track.source.sha256 / "audio"
        upload.write_bytes(b"no audio any more")
        house.work(job_id)
        assert "secret title" in anna.ask("GET", "/system").text
        assert "secret title" not in ben.ask("GET", "/system").text


def test_what_belongs_to_another_cannot_be_used(
    anna: Owner, ben: Owner, annas: Belongings, bens: Belongings
) -> None:
    """An id in a body reaches as far as one in a path."""
    client = ben.client
    for field, value, code in (
        ("from_job", annas.job, "job_not_found"),
        ("from_library", annas.track, "track_not_found"),
        ("upload_ids", annas.upload, "upload_not_found"),
    ):
        for path in ("/process", "/library/tracks"):
            answer = ben.ask("POST", path, files={field: (None, value)})
            assert (answer.status_code, answer.json()["code"]) == (404, code)
    wishes = {"name": "x", "tracks": [annas.track]}
    for path, body, status in (
        ("/playlists", wishes, 404),
        ("/batches", {"inputs": [{"sha256": annas.track}]}, 404),
        ("/batches", {"inputs": [{"upload_id": annas.upload}]}, 404),
        ("/renders", {"kind": "mix", "job_id": annas.job}, 404),
        (
            "/renders",
            {
                "kind": "transition",
                "outgoing": {"track_id": bens.track},
                "incoming": {"track_id": annas.track},
            },
            404,
        ),
    ):
        assert ben.ask("POST", path, json=body).status_code == status, body
    answer = ben.ask("GET", f"/library/tracks?collection={annas.collection}")
    assert answer.json()["code"] == "collection_not_found"
    for track in (annas.track, NOBODYS_TRACK):
        among = ben.ask("POST", "/playlists", json={"name": "x", "among": [track]})
        assert (among.status_code, among.json()["code"]) == (404, "track_not_found")
        made = ben.ask("POST", "/library/collections", json={"name": "x", "tracks": [track]})
        assert (made.status_code, made.json()["n_tracks"]) == (201, 0)
        client.delete_collection(made.json()["id"])
    assert {j.job_id for j in client.list_jobs().jobs} == {bens.job, bens.shared_job}
    assert [batch.id for batch in client.list_batches().batches] == [bens.batch]


def test_the_same_song_is_two_tracks(
    house: House, anna: Owner, ben: Owner, annas: Belongings, bens: Belongings
) -> None:
    """Its id is the same, which both can compute from its bytes: nothing else is."""
    assert annas.shared_track == bens.shared_track
    id = annas.shared_track
    anna.client.correct_track(id, CorrectionsChange(title="Anna's title"))
    assert ben.client.get_track(id).title != "Anna's title"
    assert ben.client.get_track(id).jobs == [bens.shared_job]
    assert ben.client.get_job(bens.shared_job).tracks[0].analysis.title != "Anna's title"
    assert anna.client.get_track_player(id)
    with pytest.raises(ApiError):
        ben.client.get_job(annas.shared_job)


def test_nobody_waits_for_or_shares_the_work_of_another_in_sight(
    house: House, anna: Owner, ben: Owner, annas: Belongings, bens: Belongings
) -> None:
    """A render, an import that is under way: the answer told that another had asked before."""
    assert annas.import_ != bens.import_
    house.import_folder(annas.import_)
    assert anna.client.get_import(annas.import_).n_added == 1
    assert anna.client.list_tracks().total == 3
    assert ben.client.list_tracks().total == 2
    house.import_folder(bens.import_)
    assert ben.client.get_import(bens.import_).n_added == 1


def test_a_running_job_is_out_of_reach(house: House, anna: Owner, ben: Owner, song: Path) -> None:
    job_id = anna.client.submit_job([song], {"model": "none", "stages": ["tempo"]}).job_id
    for method, path in (
        ("POST", f"/job/{job_id}/cancel"),
        ("POST", f"/job/{job_id}/retry"),
        ("DELETE", f"/job/{job_id}"),
        ("GET", f"/job/{job_id}/events"),
    ):
        assert ben.ask(method, path).status_code == 404
    assert anna.client.get_job(job_id).state == "queued"
    anna.client.cancel_job(job_id)
    anna.client.delete_job(job_id)


def test_the_user_of_the_machine_is_an_owner_like_others(
    house: House, annas: Belongings, bens: Belongings
) -> None:
    """The command line rebuilt the library from the manifests of everybody."""
    from core.artifacts.store import JobStore
    from core.library.intake.job_tracks import reindex

    local = house.owner(LOCAL)
    assert local.client.list_jobs().jobs == []
    assert local.client.list_tracks().total == 0
    assert local.ask("GET", f"/job/{annas.job}").status_code == 404
    data_dir = house.settings.data_dir
    library = Library(data_dir, house.settings.resolved_database_url())
    reindex(library, JobStore(data_dir), n_processes=1)
    house.sweep()
    assert local.client.list_tracks().total == 0


def test_who_deletes_takes_nothing_from_another(tmp_path: Path) -> None:
    """The bytes of a song are stored once, however many have sent it."""
    with open_house(tmp_path) as house:
        anna, ben = house.owner("anna"), house.owner("ben")
        song = wav_bytes(0.5, seed=3)
        options = {"model": "none", "stages": ["tempo"]}
        jobs = {}
        for name, owner in (("anna", anna), ("ben", ben)):
            file = NamedFile(f"{name}.wav", io.BytesIO(song))
            jobs[name] = owner.client.submit_job([file], options).job_id
        house.work(*jobs.values())
        (track,) = ben.client.list_tracks().tracks
        assert track.title.startswith("ben")
        anna.client.remove_track(track.id)
        anna.client.delete_job(jobs["anna"])
        house.sweep()
        assert anna.client.list_tracks().total == 0
        assert ben.client.list_tracks().total == 1
        again = ben.client.submit_job([], options, track_ids=[track.id]).job_id
        house.work(again)
        assert ben.client.get_job(again).state == "completed"
        with pytest.raises(ApiError):
            anna.client.submit_job([], options, track_ids=[track.id])


def test_a_deleted_job_takes_its_track_along_though_another_has_the_file(tmp_path: Path) -> None:
    """The track stayed, and so told that somebody else had sent the same song."""
    with open_house(tmp_path) as house:
        anna, ben = house.owner("anna"), house.owner("ben")
        jobs = []
        for owner in (anna, ben):
            path = tmp_path / "song.wav"
            path.write_bytes(wav_bytes(0.5, seed=3))
            jobs.append(owner.client.submit_job([path], OPTIONS).job_id)
        house.work(*jobs)
        assert anna.client.list_tracks().total == 1
        anna.client.delete_job(jobs[0])
        house.sweep()
        assert anna.client.list_tracks().total == 0
        assert ben.client.list_tracks().total == 1
