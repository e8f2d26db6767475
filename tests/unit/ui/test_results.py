"""The page of a finished job."""

from typing import Any

from stemcrate.schemas.jobs import Job
from tests.unit.ui import examples
from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import open_page, page_text, texts
from ui.parts.track_list import track_row
from ui.places import RESULTS, SEPARATE
from ui.text import UNKNOWN


def rows(job: Any) -> list[dict[str, Any]]:
    checked = Job.model_validate(job)
    return [track_row(checked, track, None) for track in checked.tracks]


def test_results_show_the_set_with_links_to_its_tracks(server: Any, api_url: Any) -> None:
    """Rows of the playlist were no links."""
    api_url(server.url)
    examples.give_finished_job(server)
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert not app.error
    page = page_text(app)
    assert "&lt;i&gt;T&lt;/i&gt;" in page
    assert "<i>T</i>" not in page
    assert f'href="/track?job={JOB_ID}&amp;track=0"' in page


def test_a_row_tells_what_a_dj_looks_for_and_leads_to_its_track() -> None:
    (row,) = rows(examples.job("completed"))
    assert row["href"] == f"/track?job={JOB_ID}&track=0"
    shown = {name: row[name] for name in ("place", "title", "tempo", "camelot", "energy", "length")}
    assert shown == {
        "place": 1,
        "title": "<b>song</b>.wav",
        "tempo": "122.0 BPM",
        "camelot": "8A",
        "energy": "4 / 10",
        "length": "0:20",
    }


def test_a_row_of_a_failed_track_leads_nowhere() -> None:
    first = examples.job("completed")["tracks"][0]
    bad = {"code": "x", "message": "It is too short.", "hint": ""}
    failed = {**first, "state": "failed", "error": bad, "analysis": {"tempo_bpm": 0.0}}
    (row,) = rows(examples.job("completed", tracks=[failed]))
    assert row["href"] is None
    assert row["state"] == "failed"
    assert row["tempo"] == UNKNOWN


def test_a_repeated_file_counts_once(server: Any, api_url: Any) -> None:
    api_url(server.url)
    examples.give_finished_job(server)
    acapella = examples.artefact("composite", "acapella") | {"same_as": "song/vocals.wav"}
    outputs = examples.outputs(*examples.FILES, acapella)
    server.answer("GET", f"/job/{JOB_ID}/outputs", outputs)
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert "21.4 MB" in app.get("link_button")[0].label


def test_a_warning_of_one_of_several_tracks_says_whose_it_is(server: Any, api_url: Any) -> None:
    """Three songs without a voice were three equal lines that named none of them."""
    api_url(server.url)
    first = examples.job("completed")["tracks"][0]
    tracks = [first, {**first, "index": 1, "name": "b.wav", "analysis": {"title": "B"}}]
    silent = {"code": "silent_stem", "message": "No vocals.", "stage": "separation"}
    examples.give_finished_job(server, tracks=tracks, warnings=[{**silent, "track_index": 1}])
    two = examples.manifest(examples.ANALYSIS, examples.ANALYSIS)
    server.answer("GET", f"/job/{JOB_ID}/manifest", two)
    app = open_page(SEPARATE, job=JOB_ID)
    assert "**b\\.wav**: Separation: No vocals" in texts(app.warning)
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert not app.warning


def test_a_set_with_an_unknown_tempo_has_a_dash(server: Any, api_url: Any) -> None:
    """A silent file had 0.0 BPM in the playlist."""
    api_url(server.url)
    examples.give_finished_job(server)
    silent = examples.manifest(examples.ANALYSIS)
    silent["playlist"]["tracks"][0]["tempo_bpm"] = 0.0
    silent["playlist"]["relaxed"] = [{"wish": "tracks", "words": "Silence is planned last."}]
    server.answer("GET", f"/job/{JOB_ID}/manifest", silent)
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert f">{UNKNOWN} BPM<" in page_text(app)
    assert "0.0 BPM" not in page_text(app)
    assert "Silence is planned last" in texts(app.caption)


def test_a_doubtful_tempo_of_a_set_has_its_doubt(server: Any, api_url: Any) -> None:
    """ "136.8 BPM" was 16 % sure."""
    api_url(server.url)
    examples.give_finished_job(server)
    doubtful = examples.manifest(examples.ANALYSIS)
    doubtful["playlist"]["tracks"][0] |= {"tempo_bpm": 122.0, "tempo_confidence": 0.16}
    server.answer("GET", f"/job/{JOB_ID}/manifest", doubtful)
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert ">122.0 BPM (uncertain, 16 %)<" in page_text(app)


def test_results_say_why_tracks_failed(server: Any, api_url: Any) -> None:
    """Only the tab of a failed track said that it had failed."""
    api_url(server.url)
    first = examples.job("completed")["tracks"][0]
    bad = {"code": "x", "message": "It is too short.", "hint": ""}
    tracks = [first, {**first, "index": 1, "name": "b.wav", "state": "failed", "error": bad}]
    examples.give_finished_job(server, tracks=tracks, n_failed_tracks=1)
    two = examples.manifest(examples.ANALYSIS, {})
    server.answer("GET", f"/job/{JOB_ID}/manifest", two)
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert "1 of 2 tracks failed" in page_text(app)
    (error,) = app.error
    assert "b\\.wav" in error.value
    assert "It is too short" in error.value


def test_a_cancelled_job_says_so(server: Any, api_url: Any) -> None:
    api_url(server.url)
    failure = {"code": "job_cancelled", "message": "The job was cancelled.", "hint": ""}
    examples.give_finished_job(server, "cancelled", error=failure, n_files=0)
    server.answer("GET", f"/job/{JOB_ID}/outputs", examples.outputs())
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert not app.error
    assert "was cancelled. No file was delivered until then." in texts(app.info)


def test_a_job_that_only_analysed_offers_no_files(server: Any, api_url: Any) -> None:
    api_url(server.url)
    examples.give_finished_job(server, kind="analysis", model={}, device={})
    server.answer("GET", f"/job/{JOB_ID}/outputs", examples.outputs())
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert "analysis only" in page_text(app)
    assert "no files were made" in texts(app.caption)
    assert [link.label for link in app.get("link_button")] == ["Manifest"]


def test_results_of_a_job_that_runs_lead_to_its_progress(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", f"/job/{JOB_ID}", examples.job("running", fraction=0.1))
    app = open_page(RESULTS, job=JOB_ID)
    assert "not done yet" in texts(app.info)
    assert [button.label for button in app.button] == ["Follow it"]
