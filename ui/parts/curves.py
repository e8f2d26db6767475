"""Facts over time, from tempo to chords, one above the other on one time axis."""

import math
import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from stemcrate.schemas.facts import Chord, JobFacts, KeySegment
from ui.colours import camelot_colour
from ui.doubts import with_doubt
from ui.language import t
from ui.text import UNKNOWN, escape_markdown, length, number

LINE = "#7f56f5"
"""Contrast of at least 3:1 on the backgrounds of both themes."""
MINOR_COLOUR, MAJOR_COLOUR = "#1b8cb5", "#e0523f"
BEATS_A_POINT = 4
"""A point of the tempo curve is the mean of so many beats: single ones jitter."""
LEAST_TEMPO_SPAN_BPM = 4.0
MAX_POINTS = 600
AXIS_PX = 56
"""Width of all vertical axes, so that the time axes lie below each other."""
KEY_PX, ROOT_PX, AXIS_HEIGHT_PX, LEGEND_PX = 24, 18, 48, 46
CIRCLE = ("C", "G", "D", "A", "E", "B", "F#", "Db", "Ab", "Eb", "Bb", "F")
"""Roots of chords round the circle of fifths, as the analysis writes them."""
NOTES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
NOTE_PX = 13
MAX_SPANS = 128
N_STRONGEST = 3
LEAST_STRENGTH = 10
"""Weaker notes are not drawn: a track has thousands of values, and most are near 0."""
LEAST_LUFS = -60.0
_CHORD = re.compile(r"([A-G][#b]?)(.*)")
_MINOR = re.compile(r"m(?!aj)|dim")

Spec = dict[str, Any]
_ALL_NAMES: dict[str, Any] = {"title": None, "axis": {"labelOverlap": False}}
Rows = list[dict[str, Any]]


@st.fragment
def show_curves(facts: JobFacts) -> None:
    """Show what is known over time, once it is asked for; what is not known has no chart."""
    box = st.expander(t("Over time"), icon=":material/show_chart:", key="curves", on_change="rerun")
    if not box.open:
        return
    shown = [chart for draw in CURVES if (chart := draw(facts)) is not None]
    with box:
        if not shown:
            st.caption(t("Nothing is known of this track over time."))
        for title, words, spec in shown:
            st.markdown(f"**{title}** · {escape_markdown(words)}")
            st.vega_lite_chart(spec, width="stretch", alt=f"{title}: {words}")


Curve = tuple[str, str, Spec]
"""Title, summary in words, and the chart."""


def tempo_curve(facts: JobFacts) -> Curve | None:
    """Return the tempo, measured over a few beats each."""
    beats = facts.beats_s
    points = [
        {
            "time": beats[i],
            "bpm": round(60 * BEATS_A_POINT / (beats[i + BEATS_A_POINT] - beats[i]), 2),
        }
        for i in range(0, len(beats) - BEATS_A_POINT, _stride(len(beats)))
    ]
    if not points:
        return None
    points.append({"time": beats[-1], "bpm": points[-1]["bpm"]})
    tempi = [point["bpm"] for point in points]
    low, high = min(tempi), max(tempi)
    margin = max(0.0, LEAST_TEMPO_SPAN_BPM - (high - low)) / 2 + 0.1
    steady = {True: t("one tempo throughout"), False: t("the tempo changes"), None: ""}
    words = with_doubt(number(facts.tempo_bpm, 1, "BPM"), facts.tempo_bpm, facts.tempo_confidence)
    words = ", ".join(filter(None, (words, steady[facts.tempo_is_steady])))
    axis = {"title": None, "scale": {"domain": [low - margin, high + margin], "zero": False}}
    line = {"type": "line", "color": LINE, "interpolate": "step-after", "strokeWidth": 2}
    return t("Tempo"), words, _over_time(facts, points, line, y={"field": "bpm", **axis})


def key_curve(facts: JobFacts) -> Curve | None:
    """Return the stretches of one key; the less sure, the paler."""
    if not facts.key_over_time:
        return None
    words = with_doubt(facts.key or UNKNOWN, facts.key, facts.key_confidence)
    n_keys = len({part.key for part in facts.key_over_time})
    if n_keys > 1:
        words = f"{words}, {t('{n} keys over time', n=n_keys)}"
    keys = sorted({part.camelot for part in facts.key_over_time}, key=_hour)
    spec = _over_time(
        facts,
        [_key_row(part) for part in facts.key_over_time],
        {"type": "bar", "height": {"band": 0.8}, "cornerRadius": 2},
        y={"field": "camelot", "type": "nominal", "sort": keys} | _ALL_NAMES,
        x2={"field": "end"},
        color={"field": "colour", "type": "nominal", "scale": None},
        opacity={"field": "confidence", "type": "quantitative", "legend": None}
        | {"scale": {"domain": [0, 1], "range": [0.35, 1]}},
        tooltip=_tooltips("when", "what"),
    )
    return t("Key"), words, spec | {"height": AXIS_HEIGHT_PX + KEY_PX * n_keys}


def energy_curve(facts: JobFacts) -> Curve | None:
    """Return the energy, 1 to 10."""
    curve = facts.energy_over_time
    if curve is None or not curve.values:
        return None
    rows = [
        {"time": i * curve.hop_s, "energy": value}
        for i, value in list(enumerate(curve.values))[:: _stride(len(curve.values))]
    ]
    words = UNKNOWN if facts.energy is None else t("{n} of 10", n=facts.energy)
    loudness = number(facts.integrated_loudness_lufs, 1, "LUFS")
    area = {
        "type": "area",
        "color": LINE,
        "fillOpacity": 0.25,
        "line": {"color": LINE},
        "interpolate": "monotone",
    }
    scale = {"title": None, "scale": {"domain": [0, 10]}, "axis": {"values": [1, 5, 10]}}
    spec = _over_time(facts, rows, area, y={"field": "energy", **scale})
    return t("Energy"), f"{words}, {loudness}", spec


def chroma_curve(facts: JobFacts) -> Curve | None:
    """Return how strong each of the twelve notes is."""
    chroma = facts.chroma_over_time
    if chroma is None or not any(map(any, chroma.values)):
        return None
    step = -(-len(chroma.values) // MAX_SPANS)
    rows = [
        {
            "time": i * chroma.hop_s,
            "end": min((i + step) * chroma.hop_s, facts.duration_s or math.inf),
            "note": note,
            "strength": strength,
        }
        for i in range(0, len(chroma.values), step)
        for note, strength in zip(NOTES, chroma.values[i], strict=True)
        if strength >= LEAST_STRENGTH
    ]
    totals = [sum(span) for span in zip(*chroma.values, strict=True)]
    strongest = sorted(range(len(NOTES)), key=lambda i: -totals[i])[:N_STRONGEST]
    spec = _over_time(
        facts,
        rows,
        {"type": "bar", "color": LINE, "height": {"band": 1}},
        y={"field": "note", "type": "nominal", "sort": NOTES[::-1]} | _ALL_NAMES,
        x2={"field": "end"},
        opacity={"field": "strength", "type": "quantitative", "legend": None}
        | {"scale": {"domain": [0, 100], "range": [0, 1]}},
    )
    words = t("strongest: {notes}", notes=", ".join(NOTES[i] for i in strongest))
    return t("Notes"), words, spec | {"height": AXIS_HEIGHT_PX + NOTE_PX * len(NOTES)}


def loudness_curve(facts: JobFacts) -> Curve | None:
    """Return the short-term loudness."""
    curve = facts.loudness_over_time
    known = [] if curve is None else [lufs for lufs in curve.values if lufs is not None]
    if curve is None or not known:
        return None
    rows = [
        {"time": i * curve.hop_s, "lufs": value}
        for i, value in list(enumerate(curve.values))[:: _stride(len(curve.values))]
    ]
    words = number(facts.integrated_loudness_lufs, 1, "LUFS")
    if facts.loudness_range_lu is not None:
        words = f"{words}, {t('range {value}', value=number(facts.loudness_range_lu, 1, 'LU'))}"
    axis = {"title": None, "scale": {"domain": [max(min(known), LEAST_LUFS), max(known)]}}
    line = {"type": "line", "color": LINE, "strokeWidth": 2, "clip": True}
    return t("Loudness"), words, _over_time(facts, rows, line, y={"field": "lufs", **axis})


def chord_curve(facts: JobFacts) -> Curve | None:
    """Return the roots of the chords round the circle of fifths, minor and major apart."""
    rows = [row for part in facts.chords if (row := _chord_row(part)) is not None]
    if not rows:
        return None
    roots = [root for root in CIRCLE if any(row["root"] == _pretty(root) for row in rows)]
    spec = _over_time(
        facts,
        rows,
        {"type": "bar", "height": {"band": 0.8}},
        y={"field": "root", "type": "nominal", "sort": [*map(_pretty, roots)]} | _ALL_NAMES,
        x2={"field": "end"},
        color={
            "field": "mode",
            "type": "nominal",
            "title": None,
            "scale": {
                "domain": [t("minor"), t("major")],
                "range": [MINOR_COLOUR, MAJOR_COLOUR],
            },
            "legend": {"orient": "top", "offset": 0, "padding": 0, "title": None},
        },
        opacity={"field": "confidence", "type": "quantitative", "legend": None}
        | {"scale": {"domain": [0, 1], "range": [0.35, 1]}},
        tooltip=_tooltips("when", "what"),
    )
    n_chords = len({row["chord"] for row in rows})
    words = t("{n} chords, paler where uncertain", n=n_chords)
    return t("Chords"), words, spec | {"height": LEGEND_PX + AXIS_HEIGHT_PX + ROOT_PX * len(roots)}


CURVES: tuple[Callable[[JobFacts], Curve | None], ...] = (
    tempo_curve,
    key_curve,
    chroma_curve,
    energy_curve,
    loudness_curve,
    chord_curve,
)


def _over_time(facts: JobFacts, rows: Rows, mark: Spec, *, y: Spec, **channels: Any) -> Spec:
    """Return a chart of rows over the duration of the track."""
    end_s = facts.duration_s or max(row["end"] if "end" in row else row["time"] for row in rows)
    time = "floor(datum.value / 60) + ':' + format(datum.value % 60, '02.0f')"
    x = {
        "field": "time",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, end_s], "nice": False},
        "axis": {"labelExpr": time, "tickCount": 10, "grid": True},
    }
    axis = {"minExtent": AXIS_PX, "maxExtent": AXIS_PX, "tickCount": 3} | y.get("axis", {})
    return {
        "data": {"values": rows},
        "mark": mark,
        "encoding": {"x": x, "y": {"type": "quantitative", **y, "axis": axis}, **channels},
        "height": 110,
    }


def _key_row(part: KeySegment) -> dict[str, Any]:
    what = with_doubt(f"{part.key} ({part.camelot})", part.key, part.confidence)
    return {
        "time": part.start_s,
        "end": part.end_s,
        "camelot": part.camelot,
        "colour": camelot_colour(part.camelot),
        "confidence": part.confidence,
        "when": _when(part),
        "what": what,
    }


def _chord_row(part: Chord) -> dict[str, Any] | None:
    """Return a chord as a row; None where there is none."""
    found = _CHORD.fullmatch(part.chord)
    if found is None:
        return None
    root, quality = found.groups()
    return {
        "time": part.start_s,
        "end": part.end_s,
        "chord": part.chord,
        "root": _pretty(root),
        "mode": t("minor") if _MINOR.match(quality) else t("major"),
        "confidence": part.confidence,
        "when": _when(part),
        "what": with_doubt(_pretty(root) + quality, part.chord, part.confidence),
    }


def _tooltips(*fields: str) -> list[Spec]:
    return [{"field": field, "type": "nominal", "title": ""} for field in fields]


def _when(part: KeySegment | Chord) -> str:
    return f"{length(part.start_s)} – {length(part.end_s)}"


def _pretty(name: str) -> str:
    return name.replace("#", "♯").replace("b", "♭")


def _hour(camelot: str) -> tuple[int, str]:
    return int(camelot[:-1]), camelot[-1]


def _stride(n: int) -> int:
    return max(1, -(-n // MAX_POINTS))
