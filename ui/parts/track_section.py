"""One track of a finished job: its facts, and every file that was made of it."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from ui.answers import Artefact, JobKind, Track, Waveforms
from ui.client import ApiError, StemcrateClient
from ui.colours import colour_of
from ui.parts.analysis import show_analysis, show_null_test
from ui.parts.markup import show_html
from ui.parts.messages import show_error, show_failure
from ui.text import (
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


def short_title(track: Track) -> str:
    """Name a track by its title alone, where its tags tell, else by its file."""
    return str(track["analysis"].get("title") or track["name"])


def track_title(track: Track) -> str:
    """Name a track: artist and title where its tags tell, else its file."""
    artist, title = track["analysis"].get("artist"), short_title(track)
    return f"{artist} – {title}" if artist else title


def show_track(
    client: StemcrateClient,
    kind: JobKind,
    track: Track,
    artefacts: list[Artefact],
    skipped: Mapping[str, str],
) -> None:
    """Show one track with its outputs and its whole analysis.

    ``kind`` is that of its job; ``skipped`` tells by composite why it was not made.
    """
    if track["error"]:
        show_failure(track["error"], of=track["name"])
    show_metrics(track["analysis"])
    picture = _picture_maker(client, track, artefacts)
    for role, heading in GROUPS:
        group = sorted((a for a in artefacts if a["role"] == role), key=_place)
        if group:
            st.markdown(f"##### {heading}")
            for artefact in group:
                _show_lane(client, artefact, picture(artefact["label"]))
    roles = {artefact["role"] for artefact in artefacts}
    if kind == "separation" and not roles & {role for role, _ in GROUPS}:
        st.caption("No files of this track were delivered.")
    if skipped and "composite" in roles:
        st.caption(
            escape_markdown(
                " ".join(f"No {title_of(name).lower()}: {why}" for name, why in skipped.items())
            )
        )
    show_analysis(track["analysis"])
    if "stem" in roles and "null_test" in track["analysis"]:
        show_null_test(track["analysis"]["null_test"])


def show_metrics(facts: dict[str, Any]) -> None:
    """Show what a DJ looks at first."""
    energy = facts.get("energy")
    values = {
        "BPM": number(facts.get("tempo_bpm")),
        "Key": str(facts.get("key") or "—"),
        "Camelot": str(facts.get("camelot") or "—"),
        "Energy": "—" if energy is None else f"{energy} / 10",
        "Loudness (LUFS)": number(facts.get("integrated_loudness_lufs")),
        "Length": length(facts.get("duration_s")),
    }
    with st.container(horizontal=True, gap="small"):
        for label, value in values.items():
            st.metric(label, value, width=METRIC_WIDTH)


def _show_lane(client: StemcrateClient, artefact: Artefact, picture: str) -> None:
    title = title_of(artefact["label"])
    link = escape_html(client.link(artefact["url"]))
    head, middle, end = st.columns(LANE, vertical_alignment="center", gap="small")
    with head:
        show_html(
            f'<div class="sc-lane" style="--sc:{colour_of(artefact["label"])}">'
            f"<b>{escape_html(title)}</b>"
            f"<small><span>{escape_html(format_facts(artefact))}</span></small>"
            f"<small><span>{escape_html(weight_facts(artefact))}</span>"
            f'<a href="{link}" target="_blank" rel="noopener" download '
            f'aria-label="Download {escape_html(title)}">Download</a></small></div>'
        )
    with middle:
        show_html(picture)
    with end:
        st.audio(client.link(artefact["url"]), alt=f"Play {title}")


def _picture_maker(
    client: StemcrateClient, track: Track, artefacts: list[Artefact]
) -> Callable[[str], str]:
    """Give a function from a label to its picture: nothing where none was made."""
    source = next((a for a in artefacts if a["label"] == "waveforms"), None)
    if source is None:
        return lambda label: ""
    try:
        outputs = _fetch_waveforms(client, source["url"])["outputs"]
    except ApiError as error:
        show_error(error)
        return lambda label: ""
    scale = common_scale(outputs)
    grid = bar_grid(track["analysis"].get("downbeats_s", ()), track["analysis"].get("duration_s"))

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
def _fetch_waveforms(_client: StemcrateClient, path: str) -> Waveforms:
    """Fetch a track's pictures once: the artefacts of a job that has ended never change."""
    waveforms: Waveforms = _client.waveforms(path)
    return waveforms


def _place(artefact: Artefact) -> tuple[int, str]:
    label = artefact["label"]
    return (ORDER.index(label) if label in ORDER else len(ORDER), label)
