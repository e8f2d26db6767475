"""What the analysis found, with how sure it is and what else it could be; and the null test."""

from typing import Any

import streamlit as st

from ui.parts.markup import meter, show_html, table
from ui.text import UNKNOWN, escape_html, escape_markdown, length, number, percent, title_of

MAX_ALTERNATIVES = 3
LEAST_SCORE = 0.01
MAX_CHORDS = 4
NO_CHORD = "N"


def show_analysis(facts: dict[str, Any]) -> None:
    """Show the table of findings, and the sections in their order."""
    rows = analysis_rows(facts)
    if rows:
        st.markdown("##### Analysis")
        show_html(table(["", "Value", "Confidence", "More"], rows))
    if sections := facts.get("sections"):
        st.markdown("##### Sections")
        show_html(section_list(sections))


def show_null_test(null_test: dict[str, Any]) -> None:
    """Show how well the stems add up."""
    st.markdown("##### Null test")
    st.markdown(escape_markdown(describe_null_test(null_test)))


def analysis_rows(facts: dict[str, Any]) -> list[list[str]]:
    """Give the rows of the table as markup; what was not looked for has no row."""
    rows = []
    if "tempo_bpm" in facts:
        others = [(number(a["tempo_bpm"]), a["score"]) for a in _likely(facts, "tempo")]
        value = number(facts["tempo_bpm"], 1, "BPM")
        rows.append(["Tempo", value, _confidence(facts, "tempo"), _alternatives(others)])
    if "key" in facts:
        others = [(f"{a['key']} ({a['camelot']})", a["score"]) for a in _likely(facts, "key")]
        codes = [code for code in (facts.get("camelot"), facts.get("open_key")) if code]
        value = " · ".join([str(facts["key"] or UNKNOWN), *codes])
        rows.append(["Key", escape_html(value), _confidence(facts, "key"), _alternatives(others)])
    if "beats_s" in facts:
        n_bars = len(facts.get("downbeats_s", ()))
        rows.append(["Beat grid", f"{len(facts['beats_s'])} beats, {n_bars} bars", "", ""])
    if facts.get("energy") is not None:
        parts = facts.get("energy_components", {})
        made_of = ", ".join(f"{title_of(name)} {percent(part)}" for name, part in parts.items())
        rows.append(["Energy", f"{facts['energy']} of 10", "", escape_html(made_of)])
    for label, name, unit in (
        ("Integrated loudness", "integrated_loudness_lufs", "LUFS"),
        ("Loudness range", "loudness_range_lu", "LU"),
        ("True peak", "true_peak_dbtp", "dBTP"),
    ):
        if name in facts:
            rows.append([label, number(facts[name], 1, unit), "", ""])
    return rows + _course_rows(facts)


def _course_rows(facts: dict[str, Any]) -> list[list[str]]:
    """Give the rows of what happens when: voices, where to mix, chords."""
    rows = []
    if facts.get("vocal_ratio") is not None:
        sung = f"{percent(facts['vocal_ratio'])} of the time"
        rows.append(["Vocals", sung, _confidence(facts, "vocals"), _starts(facts["vocals_s"])])
    if facts.get("mix_in_s") and facts.get("mix_out_s"):
        (_, end_s), (start_s, _) = facts["mix_in_s"], facts["mix_out_s"]
        rows.append(["Mixing", f"in until {length(end_s)}", "", f"out from {length(start_s)}"])
    if chords := _chord_shares(facts.get("chords") or []):
        value = " · ".join(chord for chord, _ in chords)
        rows.append(["Chords", escape_html(value), "", _alternatives(chords)])
    return rows


def section_list(sections: list[dict[str, Any]]) -> str:
    """Make the list of sections as markup, each with its start."""
    items = "".join(
        f"<li>{length(s['start_s'])} {escape_html(title_of(s['label']))}</li>" for s in sections
    )
    return f'<ol class="sc-stages">{items}</ol>'


def _starts(passages: list[list[float]]) -> str:
    return " · ".join(length(start_s) for start_s, _ in passages)


def _chord_shares(chords: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """Give the chords that last longest, with their share of the time that has chords."""
    seconds: dict[str, float] = {}
    for part in chords:
        if part["chord"] != NO_CHORD:
            lasts_s = part["end_s"] - part["start_s"]
            seconds[part["chord"]] = seconds.get(part["chord"], 0.0) + lasts_s
    longest = sorted(seconds.items(), key=lambda item: -item[1])[:MAX_CHORDS]
    return [(chord, lasts_s / sum(seconds.values())) for chord, lasts_s in longest]


def describe_null_test(null_test: dict[str, Any]) -> str:
    """Say how much of the mixture the stems miss, and what became of that."""
    level = null_test.get("residual_dbfs")
    start = (
        "The model's stems leave nothing of the mixture."
        if level is None
        else f"The model's stems leave a residual of {number(level, 1, 'dBFS')}."
    )
    stem = null_test.get("folded_into")
    match null_test.get("residual"):
        case "fold" if stem:
            return f"{start} It is folded into {stem}: the delivered stems sum to the song."
        case "keep":
            return f"{start} It is kept as a stem: the delivered stems sum to the song."
        case "off":
            return f"{start} It is left out, so the delivered stems sum to the song without it."
    return start


def _likely(facts: dict[str, Any], name: str) -> list[dict[str, Any]]:
    alternatives: list[dict[str, Any]] = facts.get(f"{name}_alternatives") or []
    return [a for a in alternatives if a["score"] >= LEAST_SCORE][:MAX_ALTERNATIVES]


def _confidence(facts: dict[str, Any], name: str) -> str:
    confidence = facts.get(f"{name}_confidence")
    if confidence is None:
        return UNKNOWN
    return f'<span class="sc-sure">{meter(confidence)}{percent(confidence)}</span>'


def _alternatives(others: list[tuple[str, float]]) -> str:
    return escape_html(" · ".join(f"{name}: {percent(score)}" for name, score in others))
