"""Facts over time, as charts."""

import json
from typing import Any

import pytest

from stemcrate.schemas.facts import JobFacts
from tests.unit.ui import examples
from tests.unit.ui.examples import ANALYSIS, JOB_ID
from tests.unit.ui.opening import open_page, page_text
from ui.parts.curves import (
    MAX_POINTS,
    MAX_SPANS,
    NOTES,
    chord_curve,
    chroma_curve,
    energy_curve,
    key_curve,
    loudness_curve,
    tempo_curve,
)
from ui.places import TRACK


def facts(**values: Any) -> JobFacts:
    return JobFacts.model_validate({"duration_s": 60.0, **values})


def values(chart: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chart[2]["data"]["values"]
    return found


def test_the_tempo_curve_follows_a_change_of_tempo() -> None:
    slow = [0.5 * i for i in range(41)]
    fast = [20 + 0.4 * i for i in range(1, 41)]
    title, words, spec = tempo_curve(  # type: ignore[misc]
        facts(
            beats_s=slow + fast,
            tempo_bpm=120.0,
            tempo_confidence=0.3,
            tempo_is_steady=False,
        )
    )
    points = {row["time"]: row["bpm"] for row in spec["data"]["values"]}
    assert title == "Tempo"
    assert words == "120.0 BPM (uncertain, 30 %), the tempo changes"
    assert points[4.0] == pytest.approx(120)
    assert points[max(points)] == pytest.approx(150)
    assert spec["encoding"]["x"]["scale"]["domain"] == [0, 60.0]


def test_a_long_track_has_no_more_points_than_a_screen() -> None:
    beats = [0.5 * i for i in range(7200)]
    assert 100 < len(values(tempo_curve(facts(beats_s=beats)))) <= MAX_POINTS + 1
    curve = {"hop_s": 1.0, "values": [5.0] * 3600}
    assert 100 < len(values(energy_curve(facts(energy_over_time=curve)))) <= MAX_POINTS


def test_keys_over_time_say_where_they_are_uncertain() -> None:
    parts = [
        {"start_s": 0, "end_s": 40, "key": "A minor", "camelot": "8A", "confidence": 0.9},
        {"start_s": 40, "end_s": 60, "key": "C major", "camelot": "8B", "confidence": 0.2},
    ]
    chart = key_curve(facts(key_over_time=parts, key="A minor", key_confidence=0.9))
    assert chart is not None
    assert chart[1] == "A minor, 2 keys over time"
    assert [row["what"] for row in values(chart)] == [
        "A minor (8A)",
        "C major (8B) (uncertain, 20 %)",
    ]
    assert [row["when"] for row in values(chart)] == ["0:00 – 0:40", "0:40 – 1:00"]


def test_notes_are_drawn_by_their_strength() -> None:
    a_minor = [100 if note in ("A", "C", "E") else 5 for note in NOTES]
    curve = {"hop_s": 1.0, "values": [a_minor] * 59 + [[0] * 12]}
    chart = chroma_curve(facts(chroma_over_time=curve))
    assert chart is not None
    assert chart[1] == "strongest: C, E, A"
    assert {row["note"] for row in values(chart)} == {"C", "E", "A"}
    assert len(values(chart)) == 3 * 59
    curve = {"hop_s": 14.1, "values": [a_minor] * 256}
    chart = chroma_curve(facts(duration_s=3605.0, chroma_over_time=curve))
    assert len({row["time"] for row in values(chart)}) == MAX_SPANS
    assert max(row["end"] for row in values(chart)) == 3605.0


def test_the_loudness_has_gaps_where_there_is_silence() -> None:
    curve = {"hop_s": 1.0, "values": [-12.0] * 20 + [None] * 20 + [-9.5] * 20}
    known = {"integrated_loudness_lufs": -10.6, "loudness_range_lu": 2.5}
    chart = loudness_curve(facts(loudness_over_time=curve, **known))
    assert chart is not None
    assert chart[1] == "−10.6 LUFS, range 2.5 LU"
    assert [row["lufs"] for row in values(chart)][19:21] == [-12.0, None]
    assert chart[2]["encoding"]["y"]["scale"]["domain"] == [-12.0, -9.5]


def test_chords_are_drawn_by_root_and_mode_without_gaps_of_silence() -> None:
    names = ["Am", "F#7", "N", "Bbm", "Db"]
    chords = [
        {"start_s": i, "end_s": i + 1, "chord": name, "confidence": 0.8}
        for i, name in enumerate(names)
    ]
    chart = chord_curve(facts(chords=chords))
    assert chart is not None
    rows = [(row["what"], row["root"], row["mode"]) for row in values(chart)]
    assert rows == [
        ("Am", "A", "minor"),
        ("F♯7", "F♯", "major"),
        ("B♭m", "B♭", "minor"),
        ("D♭", "D♭", "major"),
    ]
    assert chart[2]["encoding"]["y"]["sort"] == ["A", "F♯", "D♭", "B♭"]


@pytest.mark.parametrize(
    "draw",
    [
        tempo_curve,
        key_curve,
        chroma_curve,
        energy_curve,
        loudness_curve,
        chord_curve,
    ],
)
def test_what_is_unknown_has_no_chart(draw: Any) -> None:
    """Half a second, silence, or a track whose stages were off."""
    assert draw(facts()) is None
    silent = [{"start_s": 0.0, "end_s": 1.0, "chord": "N", "confidence": 0.5}]
    assert draw(facts(chords=silent, beats_s=[0.1])) is None


def test_charts_are_made_when_they_are_asked_for(server: Any, api_url: Any) -> None:
    """A page that opens sends no chart that nobody looks at."""
    api_url(server.url)
    examples.give_finished_job(server)
    beats = [0.5 * i for i in range(40)]
    curve = {"hop_s": 1.0, "values": [4.0] * 20}
    known = examples.manifest({**ANALYSIS, "beats_s": beats, "energy_over_time": curve})
    server.answer("GET", f"/job/{JOB_ID}/manifest", known)
    app = open_page(TRACK, job=JOB_ID, track="0")
    assert not app.get("vega_lite_chart")
    app.session_state["curves"] = True
    app.run()
    assert not app.exception
    charts = [json.loads(c.proto.spec) for c in app.get("vega_lite_chart")]
    assert len(charts) == 3
    page = page_text(app)
    assert "**Tempo** · 122\\.0 BPM" in page
    assert "**Energy** · 4 of 10\\, −14\\.4 LUFS" in page
