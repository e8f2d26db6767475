"""The page of all jobs."""

from typing import Any

from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import open_page, page_text, texts
from ui.places import HISTORY


def test_an_id_typed_into_the_history_is_opened_or_refused(server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.answer("GET", "/jobs?limit=20", {"jobs": [], "next_cursor": None})
    server.problem("GET", "/job/nope", 404, code="job_not_found", detail="There is no job 'nope'.")
    app = open_page(HISTORY)
    app.text_input[0].input(" nope ")
    app.button[0].click().run()
    assert not app.exception
    assert "There is no job" in texts(app.error)


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
            "n_failed_tracks": 1,
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
    assert "1 of 4 tracks failed" in shown
    next(button for button in app.button if button.label == "Older").click().run()
    assert not app.exception
    assert app.query_params["before"] == "c1"
    assert "Newest" in [button.label for button in app.button]
