"""One track of a finished job: its facts and files."""

from collections.abc import Callable, Mapping

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.jobs import JobKind, JobTrack, OutputFile
from stemcrate.schemas.waveforms import Waveforms
from ui.colours import colour_of
from ui.connection import Workbench
from ui.parts.analysis import show_analysis, show_null_test
from ui.parts.markup import show_html
from ui.parts.messages import show_error
from ui.text import (
    UNKNOWN,
    escape_html,
    escape_markdown,
    format_facts,
    length,
    number,
    title_of,
    weight_facts,
)
from ui.waveform_svg import bar_grid, common_scale, draw_waveform

GROUPS = (
    ("stem", "Stems"),
    ("composite", "Composites"),
    ("harmonic_percussive", "Harmonic and percussive"),
)
ORDER = (
    *("vocals", "drums", "bass", "guitar", "piano", "other"),
    *("accompaniment", "rest", "residual", "main"),
)
LANE = (2.9, 5.2, 3.0)
METRIC_WIDTH = 122


def short_title(track: JobTrack) -> str:
    """Return a track's title from its tags, else its file name."""
    return str(track.analysis.title or track.name)


def track_title(track: JobTrack) -> str:
    """Return a track's artist and title from its tags, else its file name."""
    artist, title = track.analysis.artist, short_title(track)
    return f"{artist} – {title}" if artist else title


def show_track(
    client: Workbench,
    kind: JobKind,
    track: JobTrack,
    facts: JobFacts,
    artefacts: list[OutputFile],
    skipped: Mapping[str, str],
) -> None:
    """Show one track with its outputs and its whole analysis.

    ``kind`` is that of its job, ``facts`` are the manifest's; ``skipped`` says by composite why
    it was not made.
    """
    show_metrics(facts)
    picture = _picture_maker(client, facts, artefacts)
    for role, heading in GROUPS:
        group = sorted((a for a in artefacts if a.role == role), key=_place)
        if group:
            st.markdown(f"##### {heading}")
            for artefact in group:
                _show_lane(client, artefact, picture(artefact.label))
    roles = {artefact.role for artefact in artefacts}
    if kind == "separation" and not roles & {role for role, _ in GROUPS}:
        st.caption("No files of this track were delivered.")
    if skipped and "composite" in roles:
        st.caption(
            escape_markdown(
                " ".join(f"No {title_of(name).lower()}: {why}" for name, why in skipped.items())
            )
        )
    show_analysis(facts)
    if "stem" in roles and facts.null_test:
        show_null_test(facts.null_test)


def show_metrics(facts: JobFacts) -> None:
    """Show the key figures: tempo, key, energy, loudness."""
    values = {
        "BPM": number(facts.tempo_bpm),
        "Key": facts.key or UNKNOWN,
        "Camelot": facts.camelot or UNKNOWN,
        "Energy": UNKNOWN if facts.energy is None else f"{facts.energy} / 10",
        "Loudness (LUFS)": number(facts.integrated_loudness_lufs),
        "Length": length(facts.duration_s),
    }
    with st.container(horizontal=True, gap="small"):
        for label, value in values.items():
            st.metric(label, value, width=METRIC_WIDTH)


def _show_lane(client: Workbench, artefact: OutputFile, picture: str) -> None:
    title = title_of(artefact.label)
    link = escape_html(client.link(artefact.url))
    head, middle, end = st.columns(LANE, vertical_alignment="center", gap="small")
    with head:
        show_html(
            f'<div class="sc-lane" style="--sc:{colour_of(artefact.label)}">'
            f"<b>{escape_html(title)}</b>"
            f"<small><span>{escape_html(format_facts(artefact))}</span></small>"
            f"<small><span>{escape_html(weight_facts(artefact))}</span>"
            f'<a href="{link}" target="_blank" rel="noopener" download '
            f'aria-label="Download {escape_html(title)}">Download</a></small></div>'
        )
    with middle:
        show_html(picture)
    with end:
        st.audio(client.link(artefact.url), alt=f"Play {title}")


def _picture_maker(
    client: Workbench, facts: JobFacts, artefacts: list[OutputFile]
) -> Callable[[str], str]:
    """Return a function from a label to its waveform; empty if there is none."""
    source = next((a for a in artefacts if a.label == "waveforms"), None)
    if source is None:
        return lambda label: ""
    try:
        outputs = _read_waveforms(client, source.url, source).outputs
    except ClientError as error:
        show_error(error)
        return lambda label: ""
    scale = common_scale(outputs)
    grid = bar_grid(facts.downbeats_s, facts.duration_s)

    def picture(label: str) -> str:
        if label not in outputs:
            return ""
        drawing = draw_waveform(
            outputs[label],
            label=f"Waveform of {title_of(label)}",
            colour=colour_of(label),
            scale=scale,
            grid=grid,
        )
        return f'<div class="sc-wavebox">{drawing}</div>'

    return picture


@st.cache_data(max_entries=64, show_spinner=False)
def _read_waveforms(_client: Workbench, url: str, _file: OutputFile) -> Waveforms:
    """Read a track's waveforms once per URL: an ended job never changes."""
    return _client.read_waveforms(_file)


def _place(artefact: OutputFile) -> tuple[int, str]:
    label = artefact.label
    return (ORDER.index(label) if label in ORDER else len(ORDER), label)
