"""The page for a new job, and for one that runs or has ended."""

import json
import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.conditions import PATIENCE_S
from tests.unit.ui import examples
from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import APP, open_page, page_text, texts
from ui.kept import Kept, Upload
from ui.places import HISTORY, RESULTS, SEPARATE, Place


def arrived(name: str, *, is_done: bool = True, seconds: float | None = 60.0) -> Upload:
    return Upload(f"id of {name}" if is_done else None, name, 1000, seconds, is_done)


def open_form(*uploads: Upload, **state: Any) -> Any:
    """Open the form as it is once the drop zone has told of these files."""
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE_S)
    app.session_state["kept"] = Kept(uploads=list(uploads), **state)
    return app.run()


def option(widgets: Any, name: str) -> Any:
    """The widget of an option, whatever its turn."""
    return next(w for w in widgets if re.fullmatch(rf"option-{name}(-\d+)?", w.key or ""))


def start_button(app: Any) -> Any:
    return next(b for b in app.button if b.label.startswith(("Separate", "Analyse")))


def data_of(app: Any, name: str) -> Any:
    """What a component was given to show."""
    components = {c.proto.component_name: c.proto for c in app.get("bidi_component")}
    return json.loads(components[f"stemcrate.{name}"].json)


def sent_form(server: Any) -> dict[str, list[str]]:
    form = next(r for r in server.requests if r.method == "POST").form()
    values: dict[str, list[str]] = {}
    for name, file_name, value in form:
        assert file_name is None, "files go from the browser to the API"
        values.setdefault(name, []).append(value.decode())
    return values


def answering_config(server: Any, api_url: Any, **changes: Any) -> None:
    api_url(server.url)
    server.answer("GET", "/config", {**examples.config(), **changes})


def test_the_form_offers_what_the_api_offers(server: Any, api_url: Any) -> None:
    answering_config(server, api_url)
    app = open_form()
    assert not app.exception
    assert start_button(app).disabled
    model, file_format, depth, *_ = app.selectbox
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
    assert "not on this machine" in texts(app.warning)


def test_files_that_have_arrived_become_a_job(server: Any, api_url: Any) -> None:
    answering_config(server, api_url)
    server.answer("POST", "/process", examples.receipt(), 202)
    examples.give_finished_job(server)
    app = open_form(arrived("a.wav"), arrived("b.wav"))
    assert start_button(app).label == "Separate 2 tracks"
    start_button(app).click().run()
    assert not app.exception
    sent = sent_form(server)
    assert sent["upload_ids"] == ["id of a.wav", "id of b.wav"]
    assert sent["stages"] == ["composite,normalization,tempo"]
    assert (sent["target_lufs"], sent["hpss_kernel_size"]) == (["-14.0"], ["31"])
    assert app.query_params["job"] == JOB_ID
    assert app.session_state["kept"].uploads == []


def test_every_option_of_a_job_is_sent(server: Any, api_url: Any) -> None:
    """An option that the form forgets can be had everywhere but in the browser."""
    from stemcrate.schemas.options import ProcessingOptions

    answering_config(server, api_url)
    server.problem("POST", "/process", 422, code="invalid_option", detail="Seen.")
    app = open_form(arrived("a.wav"))
    start_button(app).click().run()
    assert set(sent_form(server)) == {*ProcessingOptions.model_fields, "upload_ids"}


def test_every_option_of_a_job_can_be_asked_for(server: Any, api_url: Any) -> None:
    from stemcrate.schemas.options import ProcessingOptions

    models = [{**model, "available": True} for model in examples.config()["models"]]
    answering_config(server, api_url, models=models)
    app = open_form()
    option(app.selectbox, "model").select("spleeter").run()
    option(app.multiselect, "partners").select("htdemucs").run()
    asked = [
        name for name in ProcessingOptions.model_fields if f"option-{name}" in app.session_state
    ]
    assert asked == list(ProcessingOptions.model_fields)


def test_widgets_of_options_start_from_them_in_the_browser(server: Any, api_url: Any) -> None:
    """A value set by its key was lost with a run cut short: −60 dBTP was sent, and no name."""
    answering_config(server, api_url)
    app = open_form()
    expected = app.session_state["kept"].options
    widgets = [*app.number_input, *app.text_input, *app.checkbox]
    starts = {w.key.removeprefix("option-"): w.proto.default for w in widgets}
    assert len(starts) > 10
    assert starts == {name: expected[name] for name in starts}


def test_a_start_waits_for_files_that_are_on_their_way(server: Any, api_url: Any) -> None:
    answering_config(server, api_url)
    server.answer("POST", "/process", examples.receipt(), 202)
    examples.give_finished_job(server)
    app = open_form(arrived("a.wav"), arrived("b.wav", is_done=False))
    start_button(app).click().run()
    assert "as soon as the files have arrived" in texts(app.caption)
    assert not [r for r in server.requests if r.method == "POST"]
    app.session_state["kept"].uploads = [arrived("a.wav"), arrived("b.wav")]
    app = open_form(arrived("a.wav"), arrived("b.wav"), is_start_wanted=True)
    assert sent_form(server)["upload_ids"] == ["id of a.wav", "id of b.wav"]


def test_a_wish_sets_the_options_and_they_can_be_changed(server: Any, api_url: Any) -> None:
    answering_config(server, api_url)
    app = open_form(arrived("a.wav"))
    app.radio(key="wish").set_value("dj_pack").run()
    assert not app.exception
    assert option(app.selectbox, "format").value == "flac"
    option(app.selectbox, "format").select("mp3").run()
    app.radio(key="wish").set_value("analysis").run()
    assert start_button(app).label == "Analyse 1 track"
    app.radio(key="wish").set_value("vocals").run()
    assert option(app.text_input, "stems").value == "vocals"
    assert option(app.selectbox, "format").value == "wav"


def test_files_and_options_survive_another_page(server: Any, api_url: Any) -> None:
    """Choose a file, set FLAC, look at the history, come back: no file, and WAV again."""
    answering_config(server, api_url)
    server.answer("GET", "/jobs", {"jobs": [], "next_cursor": None})
    app = open_form(arrived("a.wav"))
    app.radio(key="wish").set_value("vocals").run()
    option(app.selectbox, "format").select("flac").run()
    option(app.number_input, "target_lufs").set_value(-9.0).run()
    app.switch_page(HISTORY.script).run()
    app.switch_page(SEPARATE.script).run()
    assert not app.exception
    assert app.radio(key="wish").value == "vocals"
    assert option(app.selectbox, "format").value == "flac"
    assert option(app.number_input, "target_lufs").value == -9.0
    assert start_button(app).label == "Separate 1 track"


def test_files_and_options_survive_an_api_that_is_away(
    server: Any, api_url: Any, unused_port: Any
) -> None:
    """The whole form was replaced by a red box, and the files were gone."""
    answering_config(server, api_url)
    app = open_form(arrived("a.wav"))
    option(app.selectbox, "format").select("flac").run()
    api_url(f"http://127.0.0.1:{unused_port}")
    start_button(app).click().run()
    assert not app.exception
    assert "Your files and options are kept" in texts(app.error)
    assert "goes on by itself" in texts(app.warning)
    assert option(app.selectbox, "format").value == "flac"
    assert start_button(app).label == "Separate 1 track"


def test_a_refused_option_says_so_beside_itself(server: Any, api_url: Any) -> None:
    answering_config(server, api_url)
    problem = {"code": "invalid_option", "detail": "No field {x}.", "field": "name_template"}
    server.problem("POST", "/process", 422, **problem)
    app = open_form(arrived("a.wav"))
    start_button(app).click().run()
    more = next(e for e in app.expander if e.label == "More options")
    assert more.proto.expanded
    assert [error.value for error in more.error] == ["No field \\{x\\}\\."]
    assert len(app.error) == 2, "and above the start button"


def test_a_refused_file_is_named_beside_it(server: Any, api_url: Any) -> None:
    answering_config(server, api_url)
    item = {"code": "not_audio", "detail": "This is text.", "hint": "Send audio.", "file": "a.wav"}
    server.problem("POST", "/process", 422, code="not_audio", detail="Text.", errors=[item])
    app = open_form(arrived("a.wav"), arrived("b.wav"))
    start_button(app).click().run()
    assert not app.exception
    assert "1 file cannot be used" in texts(app.error)
    assert data_of(app, "upload")["refusals"] == {"a.wav": "This is text. Send audio."}


def test_the_time_that_a_job_takes_is_known_from_earlier_ones(server: Any, api_url: Any) -> None:
    models = examples.config()["models"]
    models[1]["realtime_factors"] = {"balanced": 0.5, "best": 0.1}
    answering_config(server, api_url, models=models)
    app = open_form(arrived("a.wav", seconds=90), arrived("b.wav", seconds=30))
    assert "about 4:00" in texts(app.caption)
    app = open_form(arrived("a.wav", seconds=90), arrived("b.wav", seconds=None))
    assert "about" not in texts(app.caption)


def test_a_running_job_is_a_card_that_follows_it(server: Any, api_url: Any) -> None:
    """Polling cost a tenth of a core for each tab that watched."""
    api_url(server.url)
    running = examples.job("running", stage="tempo", track_index=0, fraction=0.4, eta_s=12.2)
    server.answer("GET", f"/job/{JOB_ID}", running)
    app = open_page(SEPARATE, job=JOB_ID)
    assert not app.exception
    data = data_of(app, "job")
    assert data["urls"]["events"] == f"/api{running['links']['events']}"
    assert data["job"]["fraction"] == 0.4
    assert data["stages"]["tempo"] == "BPM and beat grid"


@pytest.mark.parametrize("page", [SEPARATE, RESULTS])
def test_an_ended_job_can_be_tried_again(server: Any, api_url: Any, page: Place) -> None:
    """All that was left was to send the same files once more."""
    api_url(server.url)
    lost = {"code": "worker_lost", "message": "It died.", "hint": "", "retryable": True}
    examples.give_finished_job(server, "failed", error=lost, can_retry=True)
    server.answer("POST", f"/job/{JOB_ID}/retry", examples.receipt())
    app = open_page(page, job=JOB_ID)
    next(button for button in app.button if button.label == "Try again").click().run()
    assert not app.exception
    assert ("POST", f"/job/{JOB_ID}/retry") in [(r.method, r.path) for r in server.requests]


def test_a_job_that_would_fail_again_is_not_offered(server: Any, api_url: Any) -> None:
    api_url(server.url)
    examples.give_finished_job(server, "failed", can_retry=False)
    app = open_page(SEPARATE, job=JOB_ID)
    assert "Try again" not in [b.label for b in app.button]


def test_a_job_is_done_again_with_other_options(server: Any, api_url: Any) -> None:
    answering_config(server, api_url)
    examples.give_finished_job(server)
    server.answer("POST", "/process", examples.receipt(), 202)
    app = open_page(SEPARATE, job=JOB_ID)
    next(b for b in app.button if b.label == "Again with other options").click().run()
    assert not app.exception
    assert "Once more" in page_text(app)
    option(app.selectbox, "format").select("mp3").run()
    start_button(app).click().run()
    sent = sent_form(server)
    assert (sent["from_job"], sent["format"]) == ([JOB_ID], ["mp3"])


def test_a_failed_job_says_why(server: Any, api_url: Any) -> None:
    api_url(server.url)
    failure = {"code": "worker_lost", "message": "The worker died.", "hint": "Try again."}
    server.answer("GET", f"/job/{JOB_ID}", examples.job("failed", error=failure))
    app = open_page(SEPARATE, job=JOB_ID)
    assert "The worker died" in texts(app.error)
    assert "Try again" in texts(app.error)


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"state": "completed"}, "Open results"),
        ({"state": "cancelled", "n_files": 2}, "Open results"),
        ({"state": "cancelled", "n_files": 0}, "Details"),
        ({"state": "failed", "n_files": 0}, "Details"),
        ({"state": "completed", "kind": "analysis", "n_files": 0}, "Open results"),
    ],
)
def test_results_are_offered_where_there_are_some(
    server: Any, api_url: Any, changes: dict[str, Any], label: str
) -> None:
    """ "Open results" of a cancelled job led to nothing."""
    api_url(server.url)
    server.answer("GET", f"/job/{JOB_ID}", examples.job(**changes))
    app = open_page(SEPARATE, job=JOB_ID)
    assert not app.exception
    assert app.button[0].label == label
    assert app.button[-1].label == "New job"


def three_tracks(*errors: dict[str, str] | None) -> dict[str, Any]:
    """The fields of a job of three tracks, of which some failed."""
    first = examples.job("completed")["tracks"][0]
    tracks = [
        {**first, "index": n, "name": f"{n}.wav", "state": "failed" if error else "completed"}
        | {"error": error}
        for n, error in enumerate(errors)
    ]
    return {"tracks": tracks, "n_failed_tracks": sum(error is not None for error in errors)}


def test_a_job_that_is_done_in_part_says_how_many_tracks_failed(server: Any, api_url: Any) -> None:
    """ "Done" and a full bar stood over two failures of three."""
    api_url(server.url)
    bad = [{"code": "x", "message": f"{n}.wav is too short.", "hint": ""} for n in (1, 2)]
    server.answer("GET", f"/job/{JOB_ID}", examples.job("completed", **three_tracks(None, *bad)))
    app = open_page(SEPARATE, job=JOB_ID)
    assert not app.exception
    assert "Done · 2 of 3 tracks failed" in page_text(app)
    assert [error.value for error in app.error] == [
        "1\\.wav is too short\\.",
        "2\\.wav is too short\\.",
    ]


def test_the_same_failure_is_shown_once(server: Any, api_url: Any) -> None:
    """The failure of the only track was also that of its job: two equal boxes."""
    api_url(server.url)
    bad = {"code": "x", "message": "The worker died.", "hint": ""}
    jobs = (
        examples.job("failed", **three_tracks(bad, bad, bad), error=bad),
        examples.job("failed", **three_tracks(bad), error=bad),
    )
    for job in jobs:
        server.answer("GET", f"/job/{JOB_ID}", job)
        app = open_page(SEPARATE, job=JOB_ID)
        assert not app.exception
        assert len(app.error) == 1
        assert "died" in app.error[0].value


def test_a_job_whose_tracks_failed_differently_shows_each_reason_once(
    server: Any, api_url: Any
) -> None:
    api_url(server.url)
    bad = [{"code": "x", "message": f"Reason {n}", "hint": ""} for n in range(3)]
    changes = {**three_tracks(*bad), "error": bad[0]}
    server.answer("GET", f"/job/{JOB_ID}", examples.job("failed", **changes))
    app = open_page(SEPARATE, job=JOB_ID)
    assert [error.value for error in app.error] == [f"**{n}\\.wav**: Reason {n}" for n in range(3)]


def test_links_and_lists_become_a_job(server: Any, api_url: Any) -> None:
    """What a list holds had to be fetched by hand, or with other options than the chosen ones."""
    answering_config(server, api_url, fetches_links=True)
    queued = {"id": JOB_ID, "created_at": "2026-11-30T12:00:00Z", "name": "Nina - Blue"}
    done = {**queued, "state": "completed", "is_job": True, "n_tracks": 2, "n_done": 2}
    failed = {"title": "Green", "error": {"code": "x", "message": "It is gone.", "hint": "Look."}}
    done |= {"n_added": 1, "n_failed": 1, "failed": [failed]}
    server.answer("GET", "/ingest", {"ingests": []})
    server.answer("POST", "/ingest", queued, 202)
    app = open_form()
    assert not app.exception
    assert "right to copy" in texts(app.caption)
    (field,) = app.text_area
    field.input("Nina - Blue\nhttps://example.org/a.flac").run()
    server.answer("GET", "/ingest", {"ingests": [done]})
    next(b for b in app.button if b.label == "Fetch and process").click().run()
    sent = json.loads(next(r for r in server.requests if r.method == "POST").body)
    assert sent["list_text"] == "Nina - Blue\nhttps://example.org/a.flac"
    assert sent["job"]["format"] == "wav"
    assert "," in sent["job"]["stages"]
    assert "1 fetched" in texts(app.warning)
    assert "It is gone" in texts(app.markdown)
    assert any(b.label == "Open the job" for b in app.button)


def test_nothing_is_fetched_where_the_operator_does_not_want_it(server: Any, api_url: Any) -> None:
    answering_config(server, api_url)
    assert not open_form().text_area
