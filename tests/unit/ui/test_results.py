"""The page of a finished job."""

from typing import Any

from tests.unit.ui import examples
from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import open_page, page_text, texts
from ui.places import PROCESS, RESULTS
from ui.text import UNKNOWN


def test_results_show_facts_pictures_and_links_to_the_api(server: Any, api_url: Any) -> None:
    url = api_url(server.url)
    examples.give_finished_job(server)
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert not app.error
    assert {m.label: m.value for m in app.metric} == {
        "BPM": "122.0",
        "Key": "A minor",
        "Camelot": "8A",
        "Energy": "4 / 10",
        "Loudness (LUFS)": "−14.4",
        "Length": "0:20",
    }
    page = page_text(app)
    assert page.count('class="sc-wave"') == 3
    assert page.index(">Vocals<") < page.index(">Accompaniment<") < page.index(">Main<")
    assert f'href="{url}/download/{JOB_ID}/song/vocals.wav"' in page
    assert "61.0: 11 %" in page
    assert "4 beats, " in page
    assert "31 % of the time" in page
    assert "<li>0:00 Intro</li><li>0:08 Chorus</li>" in page
    assert "in until 0:08" in page
    assert "out from 0:16" in page
    assert "Am: 75 % · G&lt;: 25 %" in page
    assert "244.0" not in page
    assert "−168\\.1 dBFS" in page
    assert "No drumless" in texts(app.caption)
    assert "&lt;i&gt;T&lt;/i&gt;" in page
    assert "<i>T</i>" not in page


def test_a_warning_of_one_of_several_tracks_says_whose_it_is(server: Any, api_url: Any) -> None:
    """Three songs without a voice were three equal lines that named none of them."""
    api_url(server.url)
    first = examples.job("completed")["tracks"][0]
    tracks = [first, {**first, "index": 1, "name": "b.wav", "analysis": {"title": "B"}}]
    silent = {"code": "silent_stem", "message": "No vocals.", "stage": "separation"}
    examples.give_finished_job(server, tracks=tracks, warnings=[{**silent, "track_index": 1}])
    two = examples.manifest(examples.ANALYSIS, examples.ANALYSIS)
    server.answer("GET", f"/job/{JOB_ID}/manifest", two)
    app = open_page(PROCESS, job=JOB_ID)
    assert "**b\\.wav**: Separation: No vocals" in texts(app.warning)
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert not app.warning
    app.session_state[f"tab-{JOB_ID}"] = app.tabs[1].label
    app.run()
    assert "Separation: No vocals" in texts(app.warning)


def test_an_unknown_tempo_is_a_dash(server: Any, api_url: Any) -> None:
    """A silent file had 0.0 BPM among the facts and in the playlist."""
    api_url(server.url)
    examples.give_finished_job(server)
    silent = examples.manifest({**examples.ANALYSIS, "tempo_bpm": 0.0})
    silent["playlist"]["tracks"][0]["tempo_bpm"] = 0.0
    silent["playlist"]["relaxed"] = [{"wish": "tracks", "words": "Silence is planned last."}]
    server.answer("GET", f"/job/{JOB_ID}/manifest", silent)
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert next(m.value for m in app.metric if m.label == "BPM") == UNKNOWN
    assert f">{UNKNOWN} BPM<" in page_text(app)
    assert "0.0 BPM" not in page_text(app)
    assert "Silence is planned last" in texts(app.caption)


def test_results_name_the_tracks_that_failed(server: Any, api_url: Any) -> None:
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
    assert [error.value for error in app.error] == ["Failed: b\\.wav"]


def test_a_cancelled_job_promises_no_files(server: Any, api_url: Any) -> None:
    """It has findings and no stems: nothing may say that delivered stems sum to the song."""
    api_url(server.url)
    failure = {"code": "job_cancelled", "message": "The job was cancelled.", "hint": ""}
    examples.give_finished_job(server, "cancelled", error=failure)
    server.answer("GET", f"/job/{JOB_ID}/outputs", examples.outputs())
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert not app.error
    assert "was cancelled" in texts(app.info)
    assert "No files of this track" in texts(app.caption)
    assert "delivered stems" not in page_text(app)


def test_a_job_that_only_analysed_shows_its_facts_and_offers_no_files(
    server: Any, api_url: Any
) -> None:
    """It looked like a job whose files were lost: "no files of this track were delivered"."""
    api_url(server.url)
    examples.give_finished_job(server, kind="analysis", model={}, device={})
    server.answer("GET", f"/job/{JOB_ID}/outputs", examples.outputs())
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert "analysis only" in page_text(app)
    assert "the facts below are the result" in texts(app.caption)
    assert "delivered" not in texts(app.caption)
    assert [link.label for link in app.get("link_button")] == ["Manifest"]
    assert "<li>0:08 Chorus</li>" in page_text(app)
    assert app.metric[0].value == "122.0"


def test_results_of_a_job_that_runs_lead_to_its_progress(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", f"/job/{JOB_ID}", examples.job("running", fraction=0.1))
    app = open_page(RESULTS, job=JOB_ID)
    assert "not done yet" in texts(app.info)
    assert [button.label for button in app.button] == ["Follow it"]


def test_results_without_pictures_or_analysis_are_results_all_the_same(
    server: Any, api_url: Any
) -> None:
    """A job with every optional stage off has stems and nothing else."""
    api_url(server.url)
    bare = examples.job("completed", model={}, device={})
    examples.give_finished_job(server)
    server.answer("GET", f"/job/{JOB_ID}", bare)
    stems = [file for file in examples.FILES if file["role"] == "stem"]
    server.answer("GET", f"/job/{JOB_ID}/outputs", examples.outputs(*stems))
    server.answer("GET", f"/job/{JOB_ID}/manifest", examples.manifest({}))
    app = open_page(RESULTS, job=JOB_ID)
    assert not app.exception
    assert {metric.value for metric in app.metric} == {"—"}
    assert ">Vocals<" in page_text(app)
