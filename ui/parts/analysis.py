"""The facts of a track with confidences and alternatives, and the null test."""

from typing import TypeVar

import streamlit as st

from stemcrate.schemas.facts import (
    Chord,
    Interval,
    KeyAlternative,
    NullTest,
    Section,
    TempoAlternative,
    TrackFacts,
)
from ui.parts.markup import meter, show_html, table
from ui.text import UNKNOWN, escape_html, escape_markdown, length, number, percent, title_of

MAX_ALTERNATIVES = 3
LEAST_SCORE = 0.01
MAX_CHORDS = 4
NO_CHORD = "N"
LEVELS = (
    ("Integrated loudness", "integrated_loudness_lufs", "LUFS"),
    ("Loudness range", "loudness_range_lu", "LU"),
    ("True peak", "true_peak_dbtp", "dBTP"),
)
Alternative = TypeVar("Alternative", TempoAlternative, KeyAlternative)


def show_analysis(facts: TrackFacts) -> None:
    """Show the table of facts and the list of sections."""
    rows = analysis_rows(facts)
    if rows:
        st.markdown("##### Analysis")
        show_html(table(["", "Value", "Confidence", "More"], rows))
    if facts.sections:
        st.markdown("##### Sections")
        show_html(section_list(facts.sections))


def show_null_test(null_test: NullTest) -> None:
    """Show the null test."""
    st.markdown("##### Null test")
    st.markdown(escape_markdown(describe_null_test(null_test)))


def analysis_rows(facts: TrackFacts) -> list[list[str]]:
    """Return the table's rows as markup; facts that were not analysed have no row."""
    rows = []
    known = facts.model_fields_set
    if "tempo_bpm" in known:
        others = [(number(a.tempo_bpm), a.score) for a in _likely(facts.tempo_alternatives)]
        sure = _confidence(facts.tempo_confidence)
        rows.append(["Tempo", number(facts.tempo_bpm, 1, "BPM"), sure, _alternatives(others)])
    if "key" in known:
        fits = [(f"{a.key} ({a.camelot})", a.score) for a in _likely(facts.key_alternatives)]
        codes = [code for code in (facts.camelot, facts.open_key) if code]
        value = escape_html(" · ".join([facts.key or UNKNOWN, *codes]))
        rows.append(["Key", value, _confidence(facts.key_confidence), _alternatives(fits)])
    if "beats_s" in known:
        grid = f"{len(facts.beats_s)} beats, {len(facts.downbeats_s)} bars"
        rows.append(["Beat grid", grid, "", ""])
    if facts.energy is not None:
        parts = facts.energy_components
        made_of = ", ".join(f"{title_of(name)} {percent(part)}" for name, part in parts.items())
        rows.append(["Energy", f"{facts.energy} of 10", "", escape_html(made_of)])
    rows += [
        [label, number(getattr(facts, name), 1, unit), "", ""]
        for label, name, unit in LEVELS
        if name in known
    ]
    return rows + _course_rows(facts)


def _course_rows(facts: TrackFacts) -> list[list[str]]:
    """Return the rows of vocals, mixing windows and chords."""
    rows = []
    if facts.vocal_ratio is not None:
        sung, sure = f"{percent(facts.vocal_ratio)} of the time", facts.vocals_confidence
        rows.append(["Vocals", sung, _confidence(sure), _starts(facts.vocals_s or [])])
    if facts.mix_in_s and facts.mix_out_s:
        (_, end_s), (start_s, _) = facts.mix_in_s, facts.mix_out_s
        rows.append(["Mixing", f"in until {length(end_s)}", "", f"out from {length(start_s)}"])
    if chords := _chord_shares(facts.chords):
        value = " · ".join(chord for chord, _ in chords)
        rows.append(["Chords", escape_html(value), "", _alternatives(chords)])
    return rows


def section_list(sections: list[Section]) -> str:
    """Return the list of sections as markup, each with its start."""
    items = "".join(
        f"<li>{length(s.start_s)} {escape_html(title_of(s.label))}</li>" for s in sections
    )
    return f'<ol class="sc-stages">{items}</ol>'


def _starts(passages: list[Interval]) -> str:
    return " · ".join(length(start_s) for start_s, _ in passages)


def _chord_shares(chords: list[Chord]) -> list[tuple[str, float]]:
    """Return the longest chords with their fraction of the time with chords."""
    seconds: dict[str, float] = {}
    for part in chords:
        if part.chord != NO_CHORD:
            seconds[part.chord] = seconds.get(part.chord, 0.0) + part.end_s - part.start_s
    longest = sorted(seconds.items(), key=lambda item: -item[1])[:MAX_CHORDS]
    return [(chord, lasts_s / sum(seconds.values())) for chord, lasts_s in longest]


def describe_null_test(null_test: NullTest) -> str:
    """Describe the residual's level and where it went."""
    level = null_test.residual_dbfs
    start = (
        "The model's stems leave nothing of the mixture."
        if level is None
        else f"The model's stems leave a residual of {number(level, 1, 'dBFS')}."
    )
    stem = null_test.folded_into
    match null_test.residual:
        case "fold" if stem:
            return f"{start} It is folded into {stem}: the delivered stems sum to the song."
        case "keep":
            return f"{start} It is kept as a stem: the delivered stems sum to the song."
        case "off":
            return f"{start} It is left out, so the delivered stems sum to the song without it."
    return start


def _likely(alternatives: list[Alternative]) -> list[Alternative]:
    return [a for a in alternatives if a.score >= LEAST_SCORE][:MAX_ALTERNATIVES]


def _confidence(confidence: float | None) -> str:
    if confidence is None:
        return UNKNOWN
    return f'<span class="sc-sure">{meter(confidence)}{percent(confidence)}</span>'


def _alternatives(others: list[tuple[str, float]]) -> str:
    return escape_html(" · ".join(f"{name}: {percent(score)}" for name, score in others))
