"""A track of a finished job: its titles, key figures and files."""

from collections.abc import Collection, Mapping

import streamlit as st

from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.jobs import JobTrack, OutputFile
from ui.colours import colour_of
from ui.connection import Workbench
from ui.doubts import doubt_of, tell_doubts
from ui.language import mark, t
from ui.parts.markup import show_html, show_section
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

GROUPS = (
    ("stem", mark("Stems")),
    ("composite", mark("Composites")),
    ("harmonic_percussive", mark("Harmonic and percussive")),
)
ORDER = (
    *("vocals", "drums", "bass", "guitar", "piano", "other"),
    *("accompaniment", "rest", "residual", "main"),
)
METRIC_WIDTH = 122
COVER_WIDTH = 96


def short_title(track: JobTrack) -> str:
    """Return a track's title from its tags, else its file name."""
    return str(track.analysis.title or track.name)


def track_title(track: JobTrack) -> str:
    """Return a track's artist and title from its tags, else its file name."""
    artist, title = track.analysis.artist, short_title(track)
    return f"{artist} – {title}" if artist else title


def show_metrics(
    facts: JobFacts, corrected: Collection[str] = (), *, cover: str | None = None
) -> None:
    """Show the key figures, doubtful ones with their doubt, and what has to be known of them.

    ``corrected`` names the facts that were corrected by hand; ``cover`` is the address of a picture
    beside them.
    """
    delivered = facts.delivered_loudness
    values = {
        t("BPM"): number(facts.tempo_bpm),
        t("Key"): facts.key or UNKNOWN,
        t("Camelot"): facts.camelot or UNKNOWN,
        t("Energy"): UNKNOWN if facts.energy is None else f"{facts.energy} / 10",
        t("Source (LUFS)"): number(facts.integrated_loudness_lufs),
    }
    if delivered is not None:
        values[t("Delivered (LUFS)")] = number(delivered.integrated_lufs)
    values[t("Length")] = length(facts.duration_s)
    doubts = {
        t("BPM"): doubt_of(facts.tempo_bpm, facts.tempo_confidence),
        t("Key"): doubt_of(facts.key, facts.key_confidence),
    }
    by_hand = {
        t("BPM"): ("tempo_bpm", "grid"),
        t("Key"): ("key",),
        t("Energy"): ("energy",),
    }
    doubts |= {
        label: t("corrected")
        for label, names in by_hand.items()
        if not set(names).isdisjoint(corrected)
    }
    with st.container(horizontal=True, gap="small"):
        if cover is not None:
            with st.container(width=COVER_WIDTH):
                show_html(f'<img class="sc-cover" src="{escape_html(cover)}" alt="">')
        for label, value in values.items():
            doubt = doubts.get(label) or None
            st.metric(label, value, doubt, delta_color="off", delta_arrow="off", width=METRIC_WIDTH)
    notes = tell_doubts(facts)
    if delivered is not None and delivered.note is not None:
        notes.append(f"{t('Loudness')}: {delivered.note}.")
    if notes:
        st.caption(escape_markdown(" ".join(notes)))


def show_files(client: Workbench, artefacts: list[OutputFile], skipped: Mapping[str, str]) -> None:
    """List a track's files to download; ``skipped`` says by composite why it is missing."""
    for role, heading in GROUPS:
        own = (a for a in artefacts if a.role == role and a.same_as is None)
        group = sorted(own, key=_place)
        if group:
            show_section(t(heading))
            items = [
                _file(client, file, [a for a in artefacts if a.same_as == file.name])
                for file in group
            ]
            show_html(f'<ul class="sc-files">{"".join(items)}</ul>')
    if skipped and any(artefact.role == "composite" for artefact in artefacts):
        st.caption(
            escape_markdown(
                " ".join(
                    t("No {name}: {why}", name=name.replace("_", " "), why=why)
                    for name, why in skipped.items()
                )
            )
        )


def _file(client: Workbench, artefact: OutputFile, repeats: list[OutputFile]) -> str:
    """Return a file as markup: name, format, size and link; ``repeats`` are its other names."""
    facts = escape_html(f"{format_facts(artefact)} · {weight_facts(artefact)}")
    names = ", ".join(_download_link(client, other, title_of(other.label)) for other in repeats)
    same = f"<span>{t('Same file as {names}', names=names)}</span>" if repeats else ""
    return (
        f'<li style="--sc:{colour_of(artefact.label)}"><b>{escape_html(title_of(artefact.label))}'
        f"</b><span>{facts}</span>{same}{_download_link(client, artefact, t('Download'))}</li>"
    )


def _download_link(client: Workbench, artefact: OutputFile, text: str) -> str:
    label = f"{t('Download')} {title_of(artefact.label)}"
    return (
        f'<a href="{escape_html(client.link(artefact.url))}" target="_blank" rel="noopener" '
        f'download aria-label="{escape_html(label)}">'
        f"{escape_html(text)}</a>"
    )


def _place(artefact: OutputFile) -> tuple[int, str]:
    label = artefact.label
    return (ORDER.index(label) if label in ORDER else len(ORDER), label)
