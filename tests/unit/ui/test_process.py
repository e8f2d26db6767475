"""The page for a new job, and for one that runs."""

from typing import Any

from tests.unit.ui import examples
from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import open_page, page_text, texts
from ui.places import PROCESS


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
    app = open_page(PROCESS, job=JOB_ID)
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
        app = open_page(PROCESS, job=JOB_ID)
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
    app = open_page(PROCESS, job=JOB_ID)
    assert [error.value for error in app.error] == [f"**{n}\\.wav**: Reason {n}" for n in range(3)]
