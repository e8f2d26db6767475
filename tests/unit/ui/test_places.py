"""What holds for every page."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import open_page, texts
from ui.places import HISTORY, PLACES, RESULTS, SEPARATE, Place

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_a_page_has_a_script_and_a_line_in_the_readme(place: Place) -> None:
    assert (ROOT / "ui" / place.script).is_file()
    assert f"- **{place.title}** " in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_an_api_that_is_not_there_is_a_message_and_no_traceback(
    place: Place, api_url: Any, unused_port: Any
) -> None:
    api_url(f"http://127.0.0.1:{unused_port}")
    app = open_page(place, job=JOB_ID)
    assert not app.exception
    assert not app.error
    assert "goes on by itself" in texts(app.warning)


def test_a_page_goes_on_when_the_api_is_back(server: Any, api_url: Any) -> None:
    """An API that was restarted left a red box on every page until somebody reloaded it."""
    api_url(server.url)
    server.problem("GET", "/jobs?limit=20", 503, code="api_unreachable", detail="Away.")
    app = open_page(HISTORY)
    assert "goes on by itself" in texts(app.warning)
    server.answer("GET", "/jobs?limit=20", {"jobs": [], "next_cursor": None})
    health = {"status": "ok", "version": "1", "database": True, "workers": 1}
    server.answer("GET", "/health", {**health, "free_bytes": 1, "stalled_jobs": 0})
    app.run()  # as the fragment does it once the API is healthy
    assert not app.warning


@pytest.mark.parametrize("place", [SEPARATE, RESULTS], ids=lambda place: place.title)
def test_an_unknown_job_is_named(place: Place, server: Any, api_url: Any) -> None:
    api_url(server.url)
    server.problem("GET", "/job/nope", 404, code="job_not_found", detail="There is no job 'nope'.")
    app = open_page(place, job="nope")
    assert not app.exception
    assert "There is no job" in texts(app.error)
    assert "History" in texts(app.error)
