"""The facts of a track with confidences and alternatives, and the null test."""

import streamlit as st

from stemcrate.schemas.doubt import list_likely
from stemcrate.schemas.facts import Chord, Interval, JobFacts, NullTest, Section
from ui.doubts import doubt_of
from ui.language import mark, t
from ui.parts.markup import meter, show_html, show_section, table
from ui.text import UNKNOWN, escape_html, escape_markdown, length, number, percent, title_of

MAX_CHORDS = 4
NO_CHORD = "N"
LEVELS = (
    (mark("Source loudness"), "integrated_loudness_lufs", "LUFS"),
    (mark("Source loudness range"), "loudness_range_lu", "LU"),
    (mark("Source true peak"), "true_peak_dbtp", "dBTP"),
)


def show_analysis(facts: JobFacts) -> None:
    """Show the table of facts and the list of sections."""
    rows = analysis_rows(facts)
    if rows:
        show_section(t("Analysis"))
        show_html(table([t("Fact"), t("Value"), t("Confidence"), t("More")], rows))
    if facts.sections:
        show_section(t("Sections"))
        show_html(section_list(facts.sections))


def show_null_test(null_test: NullTest) -> None:
    """Show the null test."""
    show_section(t("Null test"))
    st.markdown(escape_markdown(describe_null_test(null_test)))


def analysis_rows(facts: JobFacts) -> list[list[str]]:
    """Return the table's rows as markup; facts that were not analysed have no row."""
    rows = []
    known = facts.model_fields_set
    if "tempo_bpm" in known:
        others = [(number(a.tempo_bpm), a.score) for a in list_likely(facts.tempo_alternatives)]
        sure = _confidence(facts.tempo_bpm, facts.tempo_confidence)
        rows.append([t("Tempo"), number(facts.tempo_bpm, 1, "BPM"), sure, _alternatives(others)])
    if "key" in known:
        fits = [(f"{a.key} ({a.camelot})", a.score) for a in list_likely(facts.key_alternatives)]
        codes = [code for code in (facts.camelot, facts.open_key) if code]
        value = escape_html(" · ".join([facts.key or UNKNOWN, *codes]))
        sure = _confidence(facts.key, facts.key_confidence)
        rows.append([t("Key"), value, sure, _alternatives(fits)])
    if "beats_s" in known:
        grid = t(
            "{beats} beats, {bars} bars", beats=len(facts.beats_s), bars=len(facts.downbeats_s)
        )
        sure = _confidence(grid, facts.downbeat_confidence) if facts.downbeats_s else ""
        rows.append([t("Beat grid"), grid, sure, ""])
    if facts.energy is not None:
        parts = facts.energy_components
        made_of = ", ".join(f"{title_of(name)} {percent(part)}" for name, part in parts.items())
        rows.append([t("Energy"), t("{n} of 10", n=facts.energy), "", escape_html(made_of)])
    rows += [
        [t(label), number(getattr(facts, name), 1, unit), "", ""]
        for label, name, unit in LEVELS
        if name in known
    ]
    return rows + _delivered_rows(facts) + _course_rows(facts)


def _delivered_rows(facts: JobFacts) -> list[list[str]]:
    """Return the rows of the delivered loudness, with the reason where the target was missed."""
    loudness = facts.delivered_loudness
    if loudness is None:
        return []
    lufs, peak = number(loudness.integrated_lufs, 1, "LUFS"), loudness.true_peak_dbtp
    return [
        [t("Delivered loudness"), lufs, "", escape_html(loudness.note or "")],
        [t("Delivered true peak"), number(peak, 1, "dBTP"), "", ""],
    ]


def _course_rows(facts: JobFacts) -> list[list[str]]:
    """Return the rows of vocals, mixing windows and chords."""
    rows = []
    if facts.vocal_ratio is not None:
        sung, sure = (
            t("{share} of the time", share=percent(facts.vocal_ratio)),
            facts.vocals_confidence,
        )
        rows.append([t("Vocals"), sung, _confidence(sung, sure), _starts(facts.vocals_s or [])])
    if facts.mix_in_s and facts.mix_out_s:
        (_, end_s), (start_s, _) = facts.mix_in_s, facts.mix_out_s
        start = t("in until {time}", time=length(end_s))
        rows.append([t("Mixing"), start, "", t("out from {time}", time=length(start_s))])
    if chords := _chord_shares(facts.chords):
        value = " · ".join(chord for chord, _ in chords)
        rows.append([t("Chords"), escape_html(value), "", _alternatives(chords)])
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
        t("The model's stems leave nothing of the mixture.")
        if level is None
        else t("The model's stems leave a residual of {level}.", level=number(level, 1, "dBFS"))
    )
    stem = null_test.folded_into
    match null_test.residual:
        case "fold" if stem:
            where = t("It is folded into {stem}: the delivered stems sum to the song.", stem=stem)
        case "keep":
            where = t("It is kept as a stem: the delivered stems sum to the song.")
        case "off":
            where = t("It is left out, so the delivered stems sum to the song without it.")
        case _:
            return start
    return f"{start} {where}"


def _confidence(value: float | str | None, confidence: float | None) -> str:
    """Return how sure a value is, in words where it is doubtful."""
    if confidence is None:
        return UNKNOWN
    words = doubt_of(value, confidence) or percent(confidence)
    return f'<span class="sc-sure">{meter(confidence)}{words}</span>'


def _alternatives(others: list[tuple[str, float]]) -> str:
    return escape_html(" · ".join(f"{name}: {percent(score)}" for name, score in others))
