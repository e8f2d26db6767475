"""The player's mix, and the render that makes a file of it."""

from typing import Any

import pytest

from tests.unit.ui import examples
from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import open_page, texts
from ui.mix import PlayedMix, describe, request_of, why_not
from ui.places import TRACK

RENDER_ID = "5f0c2f3e-9d1b-8a67-b2c4-0e7d5a913f68"


def played(**lanes: dict[str, Any]) -> PlayedMix:
    return PlayedMix.model_validate({"lanes": lanes})


def requested(mix: PlayedMix, **changes: Any) -> Any:
    settings: Any = {"stretch": "whole", "file_format": "wav", **changes}
    return request_of(mix, job_id=JOB_ID, index=0, **settings)


@pytest.mark.parametrize(
    ("lanes", "heard"),
    [
        ({"vocals": {}, "drums": {"mute": True}}, {"vocals"}),
        ({"vocals": {"solo": True}, "drums": {}, "bass": {"solo": True}}, {"vocals", "bass"}),
        ({"vocals": {"solo": True, "mute": True}, "drums": {}}, set()),
        ({"vocals": {"gain_db": None}, "drums": {}}, {"drums"}),
    ],
)
def test_only_lanes_that_sound_are_exported(lanes: Any, heard: set[str]) -> None:
    mix = played(**lanes)
    assert set(requested(mix).lanes) == heard
    assert bool(why_not(mix)) == (not heard)


def test_the_original_is_no_lane_of_an_export() -> None:
    """The API knows no output of this name."""
    assert "original" in why_not(played(vocals={}, original={}))
    assert not why_not(played(vocals={}, original={"mute": True}))


def test_faders_tempo_pitch_and_loop_reach_the_render() -> None:
    mix = PlayedMix.model_validate(
        {
            "lanes": {"vocals": {"gain_db": -6.0, "pan": -0.5}, "drums": {}},
            "loop": {"start_s": 30.0, "end_s": 61.5, "is_on": False},
            "tempo": 1.04,
            "pitch_semitones": -2,
        }
    )
    whole = requested(mix, file_format="flac")
    assert (whole.start_s, whole.end_s, whole.format) == (0.0, None, "flac")
    loop = requested(mix, stretch="loop")
    assert (loop.start_s, loop.end_s) == (30.0, 61.5)
    assert (loop.tempo_ratio, loop.pitch_semitones) == (1.04, -2)
    assert loop.lanes["vocals"].model_dump() == {"gain_db": -6.0, "pan": -0.5, "muted": False}
    assert describe(loop) == (
        "Vocals −6.0 dB 50 % left · Drums · tempo 104.0 % · pitch −2 semitones · 0:30 – 1:01"
    )


def render(state: str, **changes: Any) -> Any:
    return {
        "id": RENDER_ID,
        "state": state,
        "fraction": 0.4,
        "created_at": "2026-11-21T06:14:05Z",
        "started_at": None,
        "finished_at": None,
        "request": {"kind": "mix", "job_id": JOB_ID, "lanes": {"vocals": {}}},
        "file": None,
        "transition": None,
        "warnings": [],
        "error": None,
        "links": {"self": f"/renders/{RENDER_ID}", "file": f"/renders/{RENDER_ID}/file"},
        **changes,
    }


FILE = {
    "name": "Song [mix].wav",
    "format": "wav",
    "bit_depth": "24",
    "sample_rate": 44100,
    "n_channels": 2,
    "duration_s": 20.2,
    "bytes": 5_338_740,
    "sha256": "0" * 64,
    "true_peak_dbtp": -1.0,
    "lowered_db": 0.3,
}


def button(app: Any, label: str) -> Any:
    return next(found for found in app.button if found.label == label)


def test_an_export_is_followed_and_leads_to_its_file(server: Any, api_url: Any) -> None:
    api_url(server.url)
    examples.give_finished_job(server)
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert "Accompaniment · Vocals" in texts(app.caption)
    server.answer("POST", "/renders", render("queued"), status=202)
    server.answer("GET", f"/renders/{RENDER_ID}", render("running"))
    button(app, "Export").click().run()
    assert not app.exception
    sent = next(asked for asked in server.requests if asked.method == "POST")
    assert b'"lanes": {"accompaniment": ' in sent.body
    assert b'"format": "wav"' in sent.body
    assert "Mixing · 40 %" in [bar.proto.text for bar in app.get("progress")]
    lowered = {"code": "rescaled", "message": "The mix was lowered by 0.3 dB."}
    done = render("completed", file=FILE, warnings=[lowered])
    server.answer("GET", f"/renders/{RENDER_ID}", done)
    app.run()
    assert not app.exception
    (link,) = [link.proto for link in app.get("link_button")]
    assert link.url == f"/api/renders/{RENDER_ID}/file"
    assert "Song [mix].wav (5.3 MB)" in link.label
    assert "lowered by 0\\.3 dB" in texts(app.caption)


def test_a_cancelled_export_is_forgotten(server: Any, api_url: Any) -> None:
    api_url(server.url)
    examples.give_finished_job(server)
    app = open_page(TRACK, job=JOB_ID, track="0")
    server.answer("POST", "/renders", render("queued"), status=202)
    server.answer("GET", f"/renders/{RENDER_ID}", render("queued"))
    button(app, "Export").click().run()
    server.answer("DELETE", f"/renders/{RENDER_ID}", "", status=204)
    button(app, "Cancel").click().run()
    assert not app.exception
    assert not app.get("progress")
    assert "DELETE" in {asked.method for asked in server.requests}


def test_a_failed_or_refused_export_says_why(server: Any, api_url: Any) -> None:
    api_url(server.url)
    examples.give_finished_job(server)
    app = open_page(TRACK, job=JOB_ID, track="0")
    server.problem("POST", "/renders", 507, code="storage_full", detail="The disk is full.")
    button(app, "Export").click().run()
    assert "The disk is full" in texts(app.error)
    failure = {"code": "x", "message": "A stem is gone.", "hint": ""}
    server.answer("POST", "/renders", render("queued"), status=202)
    server.answer("GET", f"/renders/{RENDER_ID}", render("failed", error=failure))
    button(app, "Export").click().run()
    assert not app.exception
    assert "A stem is gone" in texts(app.error)
