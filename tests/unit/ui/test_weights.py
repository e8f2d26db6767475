"""Weights on the page Separate: the offer of four stems, the table, progress, cancel, failure."""

from typing import Any

import pytest

from stemcrate.schemas.configuration import ModelInfo
from stemcrate.schemas.weights import WeightsFetch
from tests.unit.ui import examples
from tests.unit.ui.opening import open_page, page_text, texts
from ui.places import SEPARATE

FOUR = ["drums", "bass", "other", "vocals"]
PATH = "/models/htdemucs/weights"
OFFER = "Get the four-stem model"


def download(state: str = "running", **changes: Any) -> Any:
    answer = {
        "model": "htdemucs",
        "state": state,
        "fraction": None,
        "done_bytes": 0,
        "total_bytes": None,
        "created_at": "2026-11-30T10:00:00Z",
        "started_at": None,
        "finished_at": None,
        "error": None,
    }
    return examples.written(WeightsFetch, {**answer, **changes})


def model(name: str, stems: list[str], *, available: bool = False, **changes: Any) -> Any:
    answer = examples.model(name, stems, available=available)
    return examples.written(ModelInfo, {**answer, "can_fetch": not available, **changes})


def answer_models(server: Any, *models: Any) -> None:
    spleeter = model("spleeter", ["vocals", "accompaniment"], available=True, memory_bytes=8e8)
    server.answer("GET", "/config", {**examples.config(), "models": [spleeter, *models]})


def labels(app: Any) -> list[str]:
    return [button.label for button in app.button]


def press(app: Any, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


def asked(server: Any, method: str) -> list[str]:
    return [request.path for request in server.requests if request.method == method]


def test_four_stems_are_one_click_away(server: Any, api_url: Any) -> None:
    """A first song came back as two stems, and the way to four was a command."""
    api_url(server.url)
    answer_models(server, model("htdemucs", FOUR), model("htdemucs_ft", FOUR))
    app = open_page(SEPARATE)
    assert not app.exception
    (offer,) = (button for button in app.button if button.label == OFFER)
    assert "Licence of htdemucs" in offer.help
    assert "Fetch htdemucs_ft" in [label.replace("\\", "") for label in labels(app)]
    assert "Fetch htdemucs" not in labels(app), "it stands beside the start button"

    server.answer("POST", PATH, download("queued"), 202)
    server.answer("GET", PATH, download("queued"))
    press(app, OFFER)
    assert asked(server, "POST") == [PATH]
    answer_models(server, model("htdemucs", FOUR, fetch=download("queued")))
    app.run()
    assert not app.exception
    assert OFFER not in labels(app)
    assert [bar.proto.text for bar in app.get("progress")] == ["htdemucs: waiting for a worker"]

    half = download(done_bytes=42_000_000, total_bytes=84_000_000, fraction=0.5)
    server.answer("GET", PATH, half)
    app.run()
    (bar,) = app.get("progress")
    assert (bar.proto.value, bar.proto.text) == (50, "Fetching htdemucs: 42.0 MB of 84.0 MB")
    assert "Being fetched" in page_text(app)

    answer_models(server, model("htdemucs", FOUR, available=True))
    server.answer("GET", PATH, download("completed", fraction=1.0))
    app.run()
    assert not app.exception
    assert not app.get("progress")
    assert OFFER not in labels(app)


def test_a_download_can_be_cancelled(server: Any, api_url: Any) -> None:
    api_url(server.url)
    answer_models(server, model("htdemucs", FOUR, fetch=download()))
    server.answer("GET", PATH, download())
    app = open_page(SEPARATE)
    server.answer("DELETE", PATH, "", 204)
    press(app, "Cancel")
    assert asked(server, "DELETE") == [PATH]
    answer_models(server, model("htdemucs", FOUR))
    app.run()
    assert not app.exception
    assert OFFER in labels(app)


def test_a_download_that_was_cancelled_elsewhere_is_offered_again(
    server: Any, api_url: Any
) -> None:
    api_url(server.url)
    answer_models(server, model("htdemucs", FOUR, fetch=download()))
    server.answer("GET", PATH, download())
    app = open_page(SEPARATE)
    server.problem("GET", PATH, 404, code="fetch_not_found", detail="Gone.")
    answer_models(server, model("htdemucs", FOUR))
    app.run()
    assert not app.exception
    assert not app.error
    assert OFFER in labels(app)


def test_a_failed_download_says_what_to_do_and_can_be_tried_again(
    server: Any, api_url: Any
) -> None:
    api_url(server.url)
    failure = {"code": "storage_full", "message": "The disk is full.", "hint": "Free some space."}
    answer_models(server, model("htdemucs", FOUR, fetch=download("failed", error=failure)))
    app = open_page(SEPARATE)
    assert not app.exception
    assert "The disk is full" in texts(app.error)
    assert "Free some space" in texts(app.error)
    assert OFFER in labels(app)


def test_a_refused_download_says_why(server: Any, api_url: Any) -> None:
    api_url(server.url)
    answer_models(server, model("htdemucs", FOUR))
    app = open_page(SEPARATE)
    refusal = {"code": "storage_full", "detail": "The disk is full.", "hint": "Delete jobs."}
    server.problem("POST", PATH, 507, **refusal)
    press(app, OFFER)
    assert not app.exception
    assert "The disk is full" in texts(app.error)
    assert "Delete jobs" in texts(app.error)


def test_who_has_four_stems_is_offered_no_more(server: Any, api_url: Any) -> None:
    api_url(server.url)
    own = model("mine", FOUR, available=True)
    answer_models(server, model("htdemucs", FOUR), own)
    app = open_page(SEPARATE)
    assert not app.exception
    assert OFFER not in labels(app)
    assert "Fetch htdemucs" in labels(app)


@pytest.mark.parametrize("name", ["htdemucs", "other"])
def test_what_cannot_be_fetched_is_not_offered(server: Any, api_url: Any, name: str) -> None:
    api_url(server.url)
    answer_models(server, model(name, FOUR, can_fetch=False, hint="Run: `pip`."))
    app = open_page(SEPARATE)
    assert not app.exception
    assert not [label for label in labels(app) if "Fetch" in label or label == OFFER]


def test_models_tell_their_need_of_memory(server: Any, api_url: Any) -> None:
    api_url(server.url)
    answer_models(server, model("htdemucs", FOUR))
    app = open_page(SEPARATE)
    assert "800.0 MB" in page_text(app)
    assert "Memory" in page_text(app)
