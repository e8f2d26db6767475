"""Folders on the server over REST: which are seen, and what becomes of one that is added."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.errors import ImportNotFound
from core.jobs.import_runner import ImportRunner
from core.library.intake.listing import list_files
from tests.integration.api.apps import open_client, services_of, wav_bytes


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Two songs that may be added, one beside the folder, and links to it."""
    folder = tmp_path / "shared" / "Music"
    for name, seed in (("A - One.wav", 1), ("House/B - Two.wav", 2)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav_bytes(0.5, seed=seed))
    (folder / "House" / "notes.mp3").write_bytes(b"no music")
    (folder / ".hidden").mkdir()
    secret = tmp_path / "private"
    secret.mkdir()
    (secret / "secret.wav").write_bytes(wav_bytes(0.5, seed=3))
    (folder / "out").symlink_to(secret)
    (folder / "House" / "link.wav").symlink_to(secret / "secret.wav")
    (folder / "in").symlink_to(folder / "House")
    return folder


@pytest.fixture
def app(tmp_path: Path, music: Path) -> Iterator[TestClient]:
    with open_client(tmp_path / "data", library_folders=[music]) as client:
        yield client


def import_here(client: TestClient, id: str) -> None:
    """Carry an import out without a worker."""
    settings = services_of(client).settings
    url = settings.resolved_database_url()
    runner = ImportRunner(settings.storage(), url, cache_max_bytes=10**9, n_processes=1)
    runner.run(id)


def add(client: TestClient, path: str) -> Any:
    answer = client.post("/library/imports", json={"path": path})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/library/imports/{answer.json()['id']}"
    return answer.json()


def test_by_default_no_folder_is_seen_or_added(client: TestClient, music: Path) -> None:
    """Whoever reaches the API could read every audio file of the server."""
    assert client.get("/library/folders").json() == {"path": None, "folders": [], "n_files": 0}
    for path in (str(music), "Music", "/", "", "."):
        answer = client.get("/library/folders", params={"path": path})
        assert (answer.status_code, answer.json()["code"]) == (404, "folder_not_found")
    answer = client.post("/library/imports", json={"path": str(music)})
    assert (answer.status_code, answer.json()["code"]) == (404, "folder_not_found")
    assert client.get("/library/imports").json() == {"imports": []}


def test_folders_are_listed_one_level_at_a_time(app: TestClient, tmp_path: Path) -> None:
    allowed = app.get("/library/folders").json()
    assert allowed["folders"] == [{"path": "Music", "name": "Music"}]
    inside = app.get("/library/folders", params={"path": "Music"}).json()
    assert [folder["name"] for folder in inside["folders"]] == ["House", "in"]
    assert inside["n_files"] == 1
    deeper = app.get("/library/folders", params={"path": "Music/House"}).json()
    assert (deeper["folders"], deeper["n_files"]) == ([], 3)
    assert str(tmp_path) not in str((allowed, inside, deeper))


@pytest.mark.parametrize(
    "path",
    [
        "Music/..",
        "Music/../..",
        "Music/House/../../../private",
        "../private",
        "/private",
        "Music//",
        "Music/",
        "Music/.",
        "Music/out",
        "Music/A - One.wav",
        "Music/nothing",
        "Music/\0",
        "Music/" + "a" * 4000,
        "private",
    ],
)
def test_no_path_leads_out_of_the_allowed_folder(app: TestClient, path: str) -> None:
    for answer in (
        app.get("/library/folders", params={"path": path}),
        app.post("/library/imports", json={"path": path}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "folder_not_found"), path
    assert app.get("/library/imports").json() == {"imports": []}


@pytest.mark.slow
def test_a_folder_is_added_where_it_is(app: TestClient, tmp_path: Path) -> None:
    """Files had to be uploaded one by one, or added on the command line."""
    id = add(app, "Music")["id"]
    assert add(app, "Music")["id"] == id  # it waits: once is enough
    import_here(app, id)
    done = app.get(f"/library/imports/{id}").json()
    assert (done["state"], done["n_files"], done["n_done"]) == ("completed", 3, 3)
    assert (done["n_added"], done["n_known"], done["n_refused"]) == (2, 0, 1)
    (refused,) = done["refused"]
    assert (refused["name"], refused["code"]) == ("Music/House/notes.mp3", "not_audio")
    assert str(tmp_path) not in str(done)
    lines = app.get("/library/tracks").json()["tracks"]
    assert sorted(line["title"] for line in lines) == ["One", "Two"]
    assert not (tmp_path / "data" / "uploads").exists()
    for line in lines:
        assert app.get(f"/library/tracks/{line['id']}/player").status_code == 200

    again = add(app, "Music/House")["id"]
    assert again != id
    import_here(app, again)
    seen = app.get("/library/imports").json()["imports"]
    assert [(one["id"], one["n_added"], one["n_known"]) for one in seen] == [
        (again, 0, 1),
        (id, 2, 0),
    ]


@pytest.mark.slow
def test_what_is_cancelled_goes_on_when_it_is_added_again(app: TestClient, music: Path) -> None:
    """Everything would be analysed anew."""
    imports = services_of(app).imports.imports
    id = add(app, "Music")["id"]
    record = imports.begin(id)
    cancelled = app.post(f"/library/imports/{id}/cancel").json()
    assert cancelled["state"] == "cancelled"
    with pytest.raises(ImportNotFound), imports.update(id, record.attempt):
        pass
    import_here(app, id)  # a worker that comes to it late leaves it alone
    assert app.get("/library/tracks").json()["tracks"] == []
    assert app.post(f"/library/imports/{id}/cancel").json() == cancelled
    again = add(app, "Music")["id"]
    assert again != id
    import_here(app, again)
    assert app.get(f"/library/imports/{again}").json()["n_added"] == 2
    unknown = app.get("/library/imports/nothing")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "import_not_found")


def test_a_folder_that_is_gone_is_said(app: TestClient, music: Path) -> None:
    id = add(app, "Music/House")["id"]
    music.rename(music.with_name("Moved"))
    import_here(app, id)
    done = app.get(f"/library/imports/{id}").json()
    assert (done["state"], done["n_files"], done["n_refused"]) == ("completed", 0, 1)
    assert app.get("/library/folders").json()["folders"] == []


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    folders = [tmp_path / name / "Music" for name in ("a", "b")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / folder.parent.name).mkdir()
    with open_client(tmp_path / "data", library_folders=folders) as client:
        names = [f["path"] for f in client.get("/library/folders").json()["folders"]]
        assert names == ["Music", "Music (2)"]
        inside = client.get("/library/folders", params={"path": "Music (2)"}).json()
        assert [folder["name"] for folder in inside["folders"]] == ["b"]


def test_links_out_of_a_folder_are_not_followed(music: Path) -> None:
    found = list_files([music], within=music.resolve())
    names = sorted(str(path.relative_to(music.resolve())) for path in found.files)
    assert names == ["A - One.wav", "House/B - Two.wav", "House/notes.mp3"]
