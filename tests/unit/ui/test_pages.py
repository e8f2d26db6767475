"""The pages, run by Streamlit's own test bench against a real HTTP server."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.conditions import PATIENCE_S
from tests.unit.ui import examples
from tests.unit.ui.examples import JOB_ID
from ui.places import HISTORY, PLACES, PROCESS, RESULTS, Place

APP = Path(__file__).parents[3] / "ui" / "app.py"


def open_page(place: Place, **query: Any) -> Any:
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE_S).run()
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page(place.script).run()


def texts(elements: Any) -> str:
    return "\n".join(element.value for element in elements)


def page_text(app: Any) -> Any:
    return texts(app.markdown)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_an_api_that_is_not_there_is_a_message_and_no_traceback(
    place: Place, api_url: Any, unused_port: Any
) -> None:
    api_url(f"http://127.0.0.1:{unused_port}")
    app = open_page(place, job=JOB_ID)
    assert not app.exception
    assert "not reachable" in texts(app.error)
    assert "stemcrate serve" in texts(app.error)


@pytest.mark.parametrize("place", [PROCESS, RESULTS], ids=lambda place: place.title)
def test_an_unknown_job_is_named(place: Place, server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.problem("GET", "/job/nope", 404, code="job_not_found", detail="There is no job 'nope'.")
    app = open_page(place, job="nope")
    assert not app.exception
    assert "There is no job" in texts(app.error)
    assert "History" in texts(app.error)


def test_an_id_typed_into_the_history_is_opened_or_refused(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", "/jobs?limit=20", {"jobs": [], "next_cursor": None})
    server.problem("GET", "/job/nope", 404, code="job_not_found", detail="There is no job 'nope'.")
    app = open_page(HISTORY)
    app.text_input[0].input(" nope ")
    app.button[0].click().run()
    assert not app.exception
    assert "There is no job" in texts(app.error)


def test_the_form_offers_what_the_api_offers(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", "/config", examples.config())
    app = open_page(PROCESS)
    assert not app.exception
    model, file_format, depth, _ = app.selectbox
    assert model.options == [
        "auto → spleeter",
        "spleeter · 2 stems",
        "htdemucs · 4 stems · weights not here",
    ]
    assert "`htdemucs`" in texts(app.caption)
    assert "32-bit float" in depth.options
    file_format.select("flac").run()
    assert "32-bit float" not in app.selectbox[2].options
    app.selectbox[0].select("htdemucs").run()
    assert "Licence of htdemucs" in texts(app.caption)
    assert "models fetch htdemucs" in texts(app.warning)


def test_a_submitted_form_sends_the_options_and_shows_the_job(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", "/config", examples.config())
    server.answer("POST", "/process", examples.receipt(), 202)
    examples.give_finished_job(server)
    app = open_page(PROCESS)
    app.file_uploader[0].set_value([("a.wav", b"RIFF", "audio/wav"), ("b.wav", b"x", "audio/wav")])
    app.run()
    app.button[-1].click().run()
    assert not app.exception
    sent = next(r for r in server.requests if r.method == "POST").form()
    assert [part for part in sent if part[0] == "file"] == [
        ("file", "a.wav", b"RIFF"),
        ("file", "b.wav", b"x"),
    ]
    options = {name: value.decode() for name, file_name, value in sent if file_name is None}
    assert options["stages"] == "composite,normalization,tempo"
    assert (options["target_lufs"], options["hpss_kernel_size"]) == ("-14", "31")
    assert app.query_params["job"] == JOB_ID


def test_every_option_of_a_job_can_be_asked_for(server: Any, api_url: Any) -> None:
    """An option that the form forgets can be had everywhere but in the browser."""
    from stemcrate.schemas.options import ProcessingOptions

    api_url(server.url)
    server.answer("GET", "/config", examples.config())
    server.problem("POST", "/process", 422, code="invalid_option", detail="Seen.")
    app = open_page(PROCESS)
    app.file_uploader[0].set_value([("a.wav", b"RIFF", "audio/wav")])
    app.run()
    app.button[-1].click().run()
    sent = next(r for r in server.requests if r.method == "POST").form()
    names = {name for name, file_name, _ in sent if file_name is None}
    assert names == set(ProcessingOptions.model_fields)


def test_a_refused_file_is_named_with_what_to_do(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", "/config", examples.config())
    item = {"code": "not_audio", "detail": "This is text.", "hint": "Send audio.", "file": "a.wav"}
    server.problem("POST", "/process", 422, code="not_audio", detail="Text.", errors=[item])
    app = open_page(PROCESS)
    app.file_uploader[0].set_value([("a.wav", b"text", "audio/wav")])
    app.run()
    app.button[-1].click().run()
    assert not app.exception
    shown = texts(app.error).replace("\\", "")
    assert "**a.wav**: This is text." in shown
    assert "Send audio." in shown


def test_a_running_job_shows_its_stages_and_can_be_cancelled(server: Any, api_url: Any) -> None:
    api_url(server.url)
    running = examples.job("running", stage="tempo", track_index=0, fraction=0.4, eta_s=12.2)
    server.answer("GET", f"/job/{JOB_ID}", running)
    server.answer("POST", f"/job/{JOB_ID}/cancel", examples.receipt("running"), 202)
    app = open_page(PROCESS, job=JOB_ID)
    assert not app.exception
    assert "Tempo &amp; beats · 40 % · about 12 s left" in page_text(app)
    assert 'data-state="running"' in page_text(app)
    assert "<b>song</b>" not in page_text(app)
    app.button[0].click().run()
    assert ("POST", f"/job/{JOB_ID}/cancel") in [(r.method, r.path) for r in server.requests]


def test_a_job_that_has_gone_quiet_says_so(server: Any, api_url: Any) -> None:
    """A stage that hangs had "about 1 s left" for ever."""
    api_url(server.url)
    quiet = {"stage": "tempo", "track_index": 0, "fraction": 0.4, "eta_s": 1.0, "silent_s": 301.0}
    server.answer("GET", f"/job/{JOB_ID}", examples.job("running", **quiet))
    app = open_page(PROCESS, job=JOB_ID)
    assert "Tempo &amp; beats · 40 % · nothing heard for 5:01" in page_text(app)


def test_a_failed_job_says_why(server: Any, api_url: Any) -> None:
    api_url(server.url)
    failure = {"code": "worker_lost", "message": "The worker died.", "hint": "Try again."}
    server.answer("GET", f"/job/{JOB_ID}", examples.job("failed", error=failure))
    app = open_page(PROCESS, job=JOB_ID)
    assert "The worker died" in texts(app.error)
    assert "Try again" in texts(app.error)


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


def test_the_history_goes_back_in_time_page_by_page(server: Any, api_url: Any) -> None:
    api_url(server.url)
    lines = [
        {
            "job_id": JOB_ID,
            "kind": "analysis",
            "state": "completed",
            "created_at": "2026-11-21T06:14:05Z",
            "finished_at": None,
            "names": ["a.wav", "b.wav", "c.wav", "d.wav"],
            "n_tracks": 4,
            "model": None,
            "n_warnings": 1,
        }
    ]
    server.answer("GET", "/jobs?limit=20", {"jobs": lines, "next_cursor": "c1"})
    server.answer("GET", "/jobs?limit=20&cursor=c1", {"jobs": [], "next_cursor": None})
    app = open_page(HISTORY)
    shown = page_text(app).replace("\\", "")
    assert "a.wav, b.wav, c.wav and 1 more" in shown
    assert "analysis only" in shown
    next(button for button in app.button if button.label == "Older").click().run()
    assert not app.exception
    assert app.query_params["before"] == "c1"
    assert "Newest" in [button.label for button in app.button]
