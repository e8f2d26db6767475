"""The page System."""

from typing import Any

import pytest

from tests.unit.ui import examples
from tests.unit.ui.opening import open_page, page_text, texts
from ui.places import SYSTEM

REPORT = {
    "version": "1.2.3",
    "versions": {"python": "3.11.7"},
    "workers": [
        {
            "device": "cpu",
            "device_reason": "no GPU",
            "models": ["spleeter"],
            "auto": "spleeter",
            "auto_reason": "",
        }
    ],
    "queue": {"waiting": 3, "running": 1, "oldest_waiting_s": 75},
    "disk": {
        "total_bytes": 100_000_000_000,
        "free_bytes": 40_000_000_000,
        "min_free_bytes": 1_000_000_000,
        "folders": [{"name": "outputs", "bytes": 5_000_000_000}, {"name": ".", "bytes": 0}],
    },
    "settings": [
        {"name": "DEVICE", "value": "auto", "is_default": True, "description": "The device."},
        {"name": "UI_PORT", "value": "9", "is_default": False, "description": "The port."},
    ],
    "failures": [
        {
            "job_id": "j1",
            "track_index": 0,
            "name": "<b>.wav",
            "at": "2026-11-21T06:14:05Z",
            "code": "corrupt_audio",
            "message": "It is cut short.",
            "hint": "Send it again.",
        }
    ],
}
HEALTH = {
    "status": "ok",
    "version": "1.2.3",
    "database": True,
    "workers": 1,
    "free_bytes": 40_000_000_000,
    "stalled_jobs": 0,
}


def opened(server: Any, api_url: Any, **health: Any) -> Any:
    api_url(server.url)
    server.answer("GET", "/health", {**HEALTH, **health})
    server.answer("GET", "/config", examples.config())
    server.answer("GET", "/system", REPORT)
    app = open_page(SYSTEM)
    assert not app.exception
    return app


def test_the_page_shows_queue_disk_settings_and_failures(server: Any, api_url: Any) -> None:
    app = opened(server, api_url)
    assert "All is well" in texts(app.success)
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures == {
        "Running": "1",
        "Waiting": "3",
        "Longest wait": "1:15",
        "Workers": "1",
        "Free on the disk": "40.0 GB",
    }
    shown = page_text(app)
    assert "Results of jobs" in shown
    assert "/results?job=j1" in shown
    assert shown.index("UI_PORT") < shown.index("DEVICE")
    assert "<b>.wav" not in shown


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ({"status": "no_workers"}, "No worker runs"),
        ({"status": "disk_full"}, "less than 1.0 GB"),
        ({"status": "no_database"}, "The database does not answer"),
        ({"stalled_jobs": 2}, "2 jobs stand still"),
    ],
    ids=["workers", "disk", "database", "stalled"],
)
def test_trouble_is_told_first(server: Any, api_url: Any, health: Any, words: str) -> None:
    app = opened(server, api_url, **health)
    assert words in texts(app.warning) + texts(app.error)
    assert not app.success
