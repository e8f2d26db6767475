"""The page of one track."""

import json
from typing import Any

import pytest

from tests.unit.ui import examples
from tests.unit.ui.examples import JOB_ID
from tests.unit.ui.opening import open_page, page_text, texts
from ui.places import TRACK
from ui.text import UNKNOWN


def two_tracks() -> list[dict[str, Any]]:
    first = examples.job("completed")["tracks"][0]
    return [first, {**first, "index": 1, "name": "b.wav", "analysis": {"title": "B"}}]


def test_a_track_shows_facts_and_links_to_its_files(server: Any, api_url: Any) -> None:
    api_url(server.url)
    examples.give_finished_job(server)
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.exception
    assert not app.error
    assert {m.label: m.value for m in app.metric} == {
        "BPM": "122.0",
        "Key": "A minor",
        "Camelot": "8A",
        "Energy": "4 / 10",
        "Source (LUFS)": "−14.4",
        "Length": "0:20",
    }
    page = page_text(app)
    assert page.index(">Vocals<") < page.index(">Accompaniment<") < page.index(">Main<")
    assert f'href="/api/download/{JOB_ID}/song/vocals.wav"' in page
    assert "61.0: 11 %" in page
    assert "4 beats, " in page
    assert "31 % of the time" in page
    assert "<li>0:00 Intro</li><li>0:08 Chorus</li>" in page
    assert "in until 0:08" in page
    assert "out from 0:16" in page
    assert "Am: 75 % · G&lt;: 25 %" in page
    assert "244.0" not in page
    assert "−168\\.1 dBFS" in page
    assert "drumless" not in texts(app.caption)
    assert "&lt;b&gt;song&lt;/b&gt;" in page
    assert "<b>song</b>" not in page


def test_doubts_and_the_delivered_loudness_stand_beside_the_numbers(
    server: Any, api_url: Any
) -> None:
    """ "136.8 BPM" in large type was 16 % sure, and "-10.5 LUFS" stood over files of -17.5."""
    api_url(server.url)
    examples.give_finished_job(server)
    note = "target −14.0, reached −17.5 LUFS: a higher gain would exceed the ceiling of −1.0 dBTP"
    loudness = {
        "integrated_lufs": -17.5,
        "true_peak_dbtp": -1.0,
        "target_lufs": -14.0,
        "limit": "true_peak_ceiling",
        "note": note,
    }
    facts = {**examples.ANALYSIS, "tempo_confidence": 0.16, "delivered_loudness": loudness}
    doubtful = examples.manifest(facts)
    server.answer("GET", f"/job/{JOB_ID}/manifest", doubtful)
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.exception
    metrics = {m.label: (m.value, m.delta) for m in app.metric}
    assert metrics["BPM"] == ("122.0", "uncertain, 16 %")
    assert metrics["Key"] == ("A minor", "")
    assert metrics["Delivered (LUFS)"] == ("−17.5", "")
    captions = texts(app.caption).replace("\\", "")
    assert "Tempo 122.0 BPM (uncertain, 16 %); it may be 61.0 BPM." in captions
    assert note in captions
    assert note in page_text(app)


def test_a_composite_that_was_asked_for_and_not_made_has_its_reason(
    server: Any, api_url: Any
) -> None:
    """Whose stems are not known before it runs, a model may lack some."""
    api_url(server.url)
    examples.give_finished_job(server)
    asked = examples.manifest(examples.ANALYSIS)
    asked["options"]["recipes"] = ["main", "drumless"]
    server.answer("GET", f"/job/{JOB_ID}/manifest", asked)
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.exception
    assert "No drumless" in texts(app.caption)


def test_an_output_without_a_file_of_its_own_is_named_beside_the_file(
    server: Any, api_url: Any
) -> None:
    """Of a two-stem separation there were seven files for five sounds."""
    api_url(server.url)
    examples.give_finished_job(server)
    acapella = examples.artefact("composite", "acapella") | {"same_as": "song/vocals.wav"}
    outputs = examples.outputs(*examples.FILES, acapella)
    server.answer("GET", f"/job/{JOB_ID}/outputs", outputs)
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.exception
    page = page_text(app)
    assert page.count("<li style") == 3
    assert "Same file as" in page
    assert f'href="/api/download/{JOB_ID}/song/acapella.wav"' in page


def test_the_address_says_which_track_of_a_job_it_is(server: Any, api_url: Any) -> None:
    """A reload went back to the first tab."""
    api_url(server.url)
    silent = {"code": "silent_stem", "message": "No vocals.", "stage": "separation"}
    warnings = [{**silent, "track_index": 1}]
    examples.give_finished_job(server, tracks=two_tracks(), warnings=warnings)
    two = examples.manifest(examples.ANALYSIS, {})
    server.answer("GET", f"/job/{JOB_ID}/manifest", two)
    app = open_page(TRACK, job=JOB_ID, track="1")
    assert not app.exception
    assert "<h1>B</h1>" in page_text(app)
    assert "Separation: No vocals" in texts(app.warning)
    assert {m.value for m in app.metric} == {UNKNOWN}
    next(button for button in app.button if button.label == "Previous track").click().run()
    assert app.query_params["track"] == "0"
    assert not app.warning
    app = open_page(TRACK, job=JOB_ID, track="7")
    assert not app.exception
    assert "no track 7" in texts(app.error)


def test_a_track_that_failed_says_why_and_has_no_player(server: Any, api_url: Any) -> None:
    api_url(server.url)
    bad = {"code": "x", "message": "It is too short.", "hint": "Send more."}
    tracks = [two_tracks()[0], {**two_tracks()[1], "state": "failed", "error": bad}]
    examples.give_finished_job(server, tracks=tracks, n_failed_tracks=1)
    app = open_page(TRACK, job=JOB_ID, track="1")
    assert not app.exception
    assert "It is too short" in texts(app.error)
    assert not app.metric


def test_a_cancelled_job_promises_no_files(server: Any, api_url: Any) -> None:
    """It has findings and no stems: nothing may say that delivered stems sum to the song."""
    api_url(server.url)
    failure = {"code": "job_cancelled", "message": "The job was cancelled.", "hint": ""}
    examples.give_finished_job(server, "cancelled", error=failure, n_files=0)
    server.answer("GET", f"/job/{JOB_ID}/outputs", examples.outputs())
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.exception
    assert "No files of this track" in texts(app.caption)
    assert "delivered stems" not in page_text(app)


def test_a_job_that_only_analysed_shows_its_facts(server: Any, api_url: Any) -> None:
    """It looked like a job whose files were lost: "no files of this track were delivered"."""
    api_url(server.url)
    examples.give_finished_job(server, kind="analysis", model={}, device={})
    server.answer("GET", f"/job/{JOB_ID}/outputs", examples.outputs())
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.exception
    assert "delivered" not in texts(app.caption)
    assert "<li>0:08 Chorus</li>" in page_text(app)
    assert app.metric[0].value == "122.0"


def test_an_unknown_tempo_is_a_dash(server: Any, api_url: Any) -> None:
    """A silent file had 0.0 BPM."""
    api_url(server.url)
    examples.give_finished_job(server)
    silent = examples.manifest({**examples.ANALYSIS, "tempo_bpm": 0.0})
    server.answer("GET", f"/job/{JOB_ID}/manifest", silent)
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.exception
    assert next(m.value for m in app.metric if m.label == "BPM") == UNKNOWN
    assert "0.0 BPM" not in page_text(app)


def test_without_pictures_or_analysis_a_track_is_a_track_all_the_same(
    server: Any, api_url: Any
) -> None:
    """A job with every optional stage off has stems and nothing else."""
    api_url(server.url)
    examples.give_finished_job(server)
    server.answer("GET", f"/job/{JOB_ID}", examples.job("completed", model={}, device={}))
    stems = [file for file in examples.FILES if file["role"] == "stem"]
    server.answer("GET", f"/job/{JOB_ID}/outputs", examples.outputs(*stems))
    server.answer("GET", f"/job/{JOB_ID}/manifest", examples.manifest({}))
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.exception
    assert {metric.value for metric in app.metric} == {UNKNOWN}
    assert ">Vocals<" in page_text(app)


def test_corrected_facts_win_over_those_of_the_manifest(server: Any, api_url: Any) -> None:
    """The manifest holds what the analysis found: a corrected tempo stayed wrong on this page."""
    api_url(server.url)
    examples.give_finished_job(server)
    corrected = {"tempo_bpm": 61.0, "tempo_confidence": 1.0, "beats_s": [0.0, 1.0]}
    details = examples.track_details(corrected, ["grid", "rating"])
    server.answer("GET", f"/library/tracks/{examples.TRACK_ID}", details)
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.exception
    metrics = {m.label: (m.value, m.delta) for m in app.metric}
    assert metrics["BPM"] == ("61.0", "corrected")
    assert metrics["Key"] == ("A minor", "")
    page = page_text(app)
    assert "2 beats, " in page
    assert "−168\\.1 dBFS" in page


def test_the_panel_of_corrections_knows_its_track(server: Any, api_url: Any) -> None:
    api_url(server.url)
    examples.give_finished_job(server)
    app = open_page(TRACK, job=JOB_ID, track="0")
    panels = [json.loads(c.proto.json) for c in app.get("bidi_component") if "keys" in c.proto.json]
    (panel,) = panels
    assert panel["id"] == examples.TRACK_ID
    assert panel["path"] == f"/job/{JOB_ID}/tracks/0"
    assert len(panel["keys"]) == 24
    assert ["8A", "Am"] in panel["keys"]


def test_a_track_without_a_job_opens_by_itself(server: Any, api_url: Any) -> None:
    """Tracks that were added as files said "No job has processed this track yet"."""
    api_url(server.url)
    facts = {"tempo_bpm": 122.0, "tempo_confidence": 0.9, "key": "A minor", "camelot": "8A"}
    details = examples.track_details(facts, ["key"]) | {"jobs": [], "codec": "flac"}
    server.answer("GET", f"/library/tracks/{examples.TRACK_ID}", details)
    server.answer("GET", "/config", examples.config())
    app = open_page(TRACK, id=examples.TRACK_ID)
    assert not app.exception
    assert not app.error
    metrics = {m.label: (m.value, m.delta) for m in app.metric}
    assert metrics["BPM"] == ("122.0", "")
    assert metrics["Key"] == ("A minor", "corrected")
    assert "song\\.wav · FLAC" in texts(app.caption)
    path = f"/library/tracks/{examples.TRACK_ID}"
    shown = [json.loads(c.proto.json) for c in app.get("bidi_component")]
    assert [data["path"] for data in shown if "path" in data] == [path, path]
    next(button for button in app.button if button.key == "to-separate").click().run()
    assert "From the library: **Song**" in page_text(app)


def test_what_enrichers_found_stands_on_the_page(server: Any, api_url: Any) -> None:
    """A failed enricher must not look like a failed track."""
    api_url(server.url)
    outcome = {
        "enricher": "ears",
        "model": "ears-1",
        "status": "failed",
        "finished_at": "2026-11-21T06:14:31Z",
        "tags": [{"name": "<techno>", "score": 0.92}],
        "arousal": {"value": 0.5, "method": "energy-tempo-1"},
        "proposals": [{"score": 0.98, "title": "<Blue>", "artist": "Nina", "recording_id": "r"}],
        "error": {"code": "stage_failed", "message": "No luck.", "hint": "", "retryable": False},
    }
    details = examples.track_details({}, []) | {
        "jobs": [],
        "enrichment": {"status": "failed", "outcomes": [outcome]},
    }
    server.answer("GET", f"/library/tracks/{examples.TRACK_ID}", details)
    server.answer("GET", "/config", examples.config() | {"enrichers": ["ears"]})
    app = open_page(TRACK, id=examples.TRACK_ID)
    assert not app.exception
    page = page_text(app)
    assert "&lt;techno&gt; 92 %" in page
    assert "energy-tempo-1" in page
    assert "Nina – &lt;Blue&gt; 98 %" in page
    assert "No luck" in texts(app.error)
    run = {"id": "1", "created_at": "2026-11-21T06:14:31Z", "state": "queued"}
    server.answer("POST", "/library/enrichments", run)
    next(button for button in app.button if button.key == "enrich").click().run()
    assert "A worker looks at this track" in texts(app.info)


@pytest.mark.parametrize(("n_dimensions", "basis"), [(200, "sound"), (0, "descriptors")])
def test_what_sounds_like_a_track_is_found_by_what_was_heard(
    server: Any, api_url: Any, n_dimensions: int, basis: str
) -> None:
    """Without a model that hears, the descriptors of the analysis are compared."""
    api_url(server.url)
    outcome = {
        "enricher": "ears",
        "model": "ears-1",
        "status": "done",
        "finished_at": "2026-11-21T06:14:31Z",
        "n_dimensions": n_dimensions,
    }
    details = examples.track_details({}, []) | {
        "jobs": [],
        "enrichment": {"status": "done", "outcomes": [outcome]},
    }
    path = f"/library/tracks/{examples.TRACK_ID}"
    server.answer("GET", path, details)
    server.answer("GET", "/config", examples.config())
    other = {**details, "title": "<Echo>"}
    found = {"tracks": [{"track": other, "similarity": 0.91}]}
    server.answer("GET", f"{path}/similar?basis={basis}&limit=10", found)
    app = open_page(TRACK, id=examples.TRACK_ID)
    assert "Echo" not in page_text(app)
    app.session_state["sounds-like"] = True
    app.run()
    assert not app.exception
    assert "&lt;Echo&gt;" in page_text(app)
    assert "91 %" in page_text(app)


def test_the_cover_stands_beside_the_numbers(server: Any, api_url: Any) -> None:
    api_url(server.url)
    examples.give_finished_job(server)
    thumbnail = f"/library/tracks/{examples.TRACK_ID}/thumbnail"
    details = examples.track_details({}, []) | {"thumbnail_url": thumbnail}
    server.answer("GET", f"/library/tracks/{examples.TRACK_ID}", details)
    for place in ({"job": JOB_ID, "track": "0"}, {"id": examples.TRACK_ID}):
        app = open_page(TRACK, **place)
        assert not app.exception
        assert f'<img class="sc-cover" src="/api{thumbnail}" alt="">' in page_text(app)
    server.answer("GET", f"/library/tracks/{examples.TRACK_ID}", details | {"thumbnail_url": None})
    assert "sc-cover" not in page_text(open_page(TRACK, id=examples.TRACK_ID))


def test_a_track_whose_file_is_gone_is_still_corrected(server: Any, api_url: Any) -> None:
    api_url(server.url)
    details = examples.track_details({}, []) | {"jobs": [], "is_missing": True}
    server.answer("GET", f"/library/tracks/{examples.TRACK_ID}", details)
    server.answer("GET", "/config", examples.config())
    app = open_page(TRACK, id=examples.TRACK_ID)
    assert not app.exception
    assert "moved or deleted" in texts(app.warning)
    shown = [json.loads(c.proto.json) for c in app.get("bidi_component")]
    assert [("keys" in data) for data in shown if "path" in data] == [True]
    assert next(button for button in app.button if button.key == "to-separate").disabled


def test_a_track_of_the_library_with_a_job_is_shown_as_the_job_has_it(
    server: Any, api_url: Any
) -> None:
    api_url(server.url)
    examples.give_finished_job(server)
    server.answer(
        "GET", f"/library/tracks/{examples.TRACK_ID}", examples.track_details(examples.ANALYSIS, [])
    )
    app = open_page(TRACK, id=examples.TRACK_ID)
    assert not app.exception
    assert ">Vocals<" in page_text(app)
