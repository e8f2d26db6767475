"""Jobs over REST: views, manifest, outputs, cancel, delete, history."""

import json
from pathlib import Path
from typing import Any

import pytest

from stemcrate.schemas.manifest import StageWarning
from tests.integration.api.apps import files_below, submit

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def test_a_finished_job_tells_how_it_went(finished: Any) -> None:
    assert finished["state"] == "completed", finished
    assert finished["fraction"] == 1
    assert finished["model"]["name"] == "spleeter"
    assert finished["device"]
    assert finished["error"] is None
    first, second = finished["tracks"]
    assert (first["index"], first["name"]) == (0, "Artist - Nacht & Träume #1.wav")
    assert first["analysis"]["duration_s"] == pytest.approx(2.5, abs=0.01)
    assert second["state"] == "completed"
    assert (finished["kind"], len(first["id"])) == ("separation", 64)
    done = {(s["track_index"], s["name"]): s["state"] for s in finished["stages"]}
    assert done[0, "separation"] == done[1, "separation"] == "completed"
    assert done[None, "playlist"] == "completed"


def test_a_warning_says_of_which_track_it_is(client: Any) -> None:
    """Of a job of ten songs, "vocals are silent" was true of one that nobody could find."""
    job_id = submit(client, "a.wav", "b.wav")
    with client.app.state.services.store.update(job_id) as manifest:
        for record in (manifest.tracks[1].stages[0], manifest.stages[0]):
            record.warnings = [StageWarning(code="odd", message="Odd.", stage=record.name)]
    warnings = client.get(f"/job/{job_id}").json()["warnings"]
    assert [(w["stage"], w["track_index"]) for w in warnings] == [("decode", 1), ("playlist", None)]


def test_a_job_is_small_enough_to_be_polled(shared: Any, finished: Any) -> None:
    """A page asks every second: beats, chords and descriptors made a set megabytes a minute."""
    manifest = shared.get(finished["links"]["manifest"]).json()
    for view, record in zip(finished["tracks"], manifest["tracks"], strict=True):
        lists = {name for name, v in record["analysis"].items() if isinstance(v, list | dict)}
        assert {"beats_s", "key_alternatives"} <= lists
        assert view["analysis"] == {
            name: v for name, v in record["analysis"].items() if name not in lists
        }
        assert "camelot" in view["analysis"]


def test_outputs_list_every_artefact_with_a_url_that_works(shared: Any, finished: Any) -> None:
    outputs = shared.get(finished["links"]["outputs"]).json()
    assert {a["track_index"] for a in outputs["artefacts"]} >= {0, 1}
    assert {a["label"] for a in outputs["artefacts"] if a["role"] == "stem"} == {
        "vocals",
        "accompaniment",
    }
    for artefact in outputs["artefacts"]:
        answer = shared.get(artefact["url"])
        assert answer.status_code == 200
        assert len(answer.content) == artefact["bytes"]
    assert outputs["zip_url"] == finished["links"]["zip"]


def test_the_manifest_is_what_is_on_disk_and_can_be_revalidated(shared: Any, finished: Any) -> None:
    path = finished["links"]["manifest"]
    answer = shared.get(path)
    store = shared.app.state.services.store
    assert answer.content == store.read_manifest(finished["job_id"])
    assert json.loads(answer.content)["state"] == "completed"
    again = shared.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize("id", [NOBODY, "nonsense", "..", "%2e%2e", NOBODY.upper()])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/job/{id}"),
        ("GET", "/job/{id}/manifest"),
        ("GET", "/job/{id}/outputs"),
        ("GET", "/job/{id}/events"),
        ("POST", "/job/{id}/cancel"),
        ("DELETE", "/job/{id}"),
        ("GET", "/download/{id}/all"),
        ("GET", "/download/{id}/a.wav"),
    ],
)
def test_a_job_that_does_not_exist_is_not_found(
    shared: Any, method: str, path: str, id: Any
) -> None:
    answer = shared.request(method, path.format(id=id))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    if id == NOBODY:
        assert answer.json()["code"] == "job_not_found"
        assert id in answer.json()["detail"]


def test_results_of_an_unfinished_job_are_refused_for_now(client: Any) -> None:
    job_id = submit(client)
    for path in (f"/job/{job_id}/outputs", f"/download/{job_id}/all", f"/download/{job_id}/x.wav"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (409, "job_not_finished")
        assert answer.json()["retryable"] is True


def test_an_unfinished_job_says_when_to_look_again(client: Any, shared: Any, finished: Any) -> None:
    assert "retry-after" in client.get(f"/job/{submit(client)}").headers
    assert "retry-after" not in shared.get(finished["links"]["self"]).headers


def test_cancelling_twice_is_as_cancelling_once(client: Any) -> None:
    job_id = submit(client)
    for _ in range(2):
        answer = client.post(f"/job/{job_id}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    view = client.get(f"/job/{job_id}").json()
    assert (view["state"], view["error"]["code"]) == ("cancelled", "job_cancelled")


def test_cancelling_a_finished_job_changes_nothing(shared: Any, finished: Any) -> None:
    answer = shared.post(finished["links"]["cancel"])
    assert (answer.status_code, answer.json()["state"]) == (202, "completed")


def test_deleting_removes_the_job_and_the_uploads_that_only_it_used(
    client: Any, tmp_path: Path
) -> None:
    kept, gone = submit(client), submit(client)
    assert client.delete(f"/job/{gone}").status_code == 204
    assert client.get(f"/job/{gone}").status_code == 404
    assert files_below(tmp_path / "uploads") != []
    assert client.get(f"/job/{kept}").status_code == 200

    assert client.delete(f"/job/{kept}").status_code == 204
    assert files_below(tmp_path / "uploads") == []
    assert client.delete(f"/job/{kept}").status_code == 404


def test_the_history_is_paged_newest_first(client: Any) -> None:
    ids = [submit(client, f"{i}.wav") for i in range(5)][::-1]
    client.post(f"/job/{ids[2]}/cancel")

    seen, url, n_pages = [], "/jobs?limit=2", 0
    while url:
        answer = client.get(url)
        page = answer.json()
        seen += [job["job_id"] for job in page["jobs"]]
        url = answer.links.get("next", {}).get("url")
        assert (url is None) is (page["next_cursor"] is None)
        n_pages += 1
    assert seen == ids
    assert n_pages == 3

    (only,) = client.get("/jobs?state=cancelled&limit=1").json()["jobs"]
    assert only["job_id"] == ids[2]
    queued = client.get("/jobs?state=queued&limit=2")
    assert [j["job_id"] for j in queued.json()["jobs"]] == ids[:2]
    assert "state=queued" in queued.links["next"]["url"]
    last = client.get(queued.links["next"]["url"])
    assert [j["job_id"] for j in last.json()["jobs"]] == ids[3:]
    assert last.json()["next_cursor"] is None


def test_a_line_of_the_history(shared: Any, finished: Any) -> None:
    line = next(j for j in shared.get("/jobs").json()["jobs"] if j["job_id"] == finished["job_id"])
    assert line["names"] == ["Artist - Nacht & Träume #1.wav", "second.wav"]
    assert (line["n_tracks"], line["model"], line["state"]) == (2, "spleeter", "completed")
    assert line["finished_at"]
    artefacts = shared.get(f"/job/{finished['job_id']}/outputs").json()["artefacts"]
    assert line["n_bytes"] == sum(a["bytes"] for a in artefacts if a["same_as"] is None) > 0
    assert line["can_retry"] is False


def test_jobs_are_found_by_the_names_of_their_files(shared: Any, finished: Any) -> None:
    def found(**query: str) -> list[str]:
        return [job["job_id"] for job in shared.get("/jobs", params=query).json()["jobs"]]

    assert finished["job_id"] in found(text="TRAUME second")
    assert finished["job_id"] in found(text="nacht", kind="separation", state="completed")
    assert finished["job_id"] not in found(text="nacht", kind="analysis")
    assert found(text=finished["job_id"]) == [finished["job_id"]]
    assert found(text="nacht morgen") == []


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("cursor=nonsense", "invalid_option", "cursor"),
        ("limit=0", "invalid_request", "limit"),
        ("limit=999", "invalid_request", "limit"),
        ("limit=many", "invalid_request", "limit"),
        ("state=sleeping", "invalid_request", "state"),
        ("kind=karaoke", "invalid_request", "kind"),
        (f"text={'a' * 501}", "invalid_request", "text"),
    ],
)
def test_a_page_that_cannot_be_is_a_problem(shared: Any, query: str, code: str, field: str) -> None:
    answer = shared.get(f"/jobs?{query}")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, code, field)
