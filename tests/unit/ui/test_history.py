"""The page of all jobs."""

from typing import Any

from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import open_page, page_text, texts
from ui.places import HISTORY


def line(job_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "kind": "analysis",
        "state": "completed",
        "created_at": "2026-11-21T06:14:05Z",
        "finished_at": None,
        "names": ["a.wav", "b.wav", "c.wav", "d.wav"],
        "n_tracks": 4,
        "n_failed_tracks": 1,
        "model": None,
        "n_warnings": 1,
        "n_bytes": 5_338_740,
        "can_retry": False,
        **changes,
    }


def button(app: Any, label: str) -> Any:
    return next(one for one in app.button if one.label == label)


def test_a_search_stays_in_the_address_and_starts_at_its_first_page(
    server: Any, api_url: Any
) -> None:
    api_url(server.url)
    nothing = {"jobs": [], "next_cursor": None}
    server.answer("GET", "/jobs?limit=20&cursor=c1", nothing)
    server.answer("GET", "/jobs?text=blue+monday&limit=20", nothing)
    server.answer("GET", "/jobs?text=blue+monday&state=failed&limit=20", nothing)
    app = open_page(HISTORY, before="c1")
    app.text_input[0].input(" blue monday ").run()
    app.selectbox[0].select_index(4).run()
    assert not app.exception
    assert app.query_params == {"text": "blue monday", "state": "failed"}
    assert "No job matches" in texts(app.info)


def test_chosen_jobs_are_tried_again_and_what_is_refused_is_told(server: Any, api_url: Any) -> None:
    api_url(server.url)
    lines = [
        line("j1", state="failed", can_retry=True),
        line("j2", state="failed", can_retry=True, names=["x.wav"], n_tracks=1),
        line("j3"),
    ]
    server.answer("GET", "/jobs?limit=20", {"jobs": lines, "next_cursor": None})
    links = dict.fromkeys(
        ("self", "manifest", "outputs", "events", "cancel", "retry", "zip"), "/job/j1"
    )
    receipt = {"job_id": "j1", "state": "queued", "links": links}
    server.answer("POST", "/job/j1/retry", receipt, 202)
    server.problem("POST", "/job/j2/retry", 409, code="job_not_retryable", detail="It is running.")
    app = open_page(HISTORY)
    button(app, "Select all").click().run()
    assert "3 jobs · 16.0 MB" in texts(app.caption)
    button(app, "Try 2 again").click().run()
    assert not app.exception
    assert "It is running" in texts(app.error)
    assert "x\\.wav" in page_text(app)
    assert [box.value for box in app.checkbox] == [False, False, True]


def test_the_history_goes_back_in_time_page_by_page(server: Any, api_url: Any) -> None:
    api_url(server.url)
    lines = [line(JOB_ID)]
    server.answer("GET", "/jobs?limit=20", {"jobs": lines, "next_cursor": "c1"})
    server.answer("GET", "/jobs?limit=20&cursor=c1", {"jobs": [], "next_cursor": None})
    app = open_page(HISTORY)
    shown = page_text(app).replace("\\", "")
    assert "a.wav, b.wav, c.wav and 1 more" in shown
    assert "analysis only" in shown
    assert "1 of 4 tracks failed" in shown
    next(button for button in app.button if button.label == "Older").click().run()
    assert not app.exception
    assert app.query_params["before"] == "c1"
    assert "Newest" in [button.label for button in app.button]
