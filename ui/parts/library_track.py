"""The page of a track of the library that no job has processed: the recording as it came in."""

import streamlit as st

from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.library import TrackDetails
from ui.buttons import pressed
from ui.connection import Workbench
from ui.kept import Again, kept
from ui.language import counted, t
from ui.parts.analysis import show_analysis
from ui.parts.corrections import show_corrections
from ui.parts.curves import show_curves
from ui.parts.enrichment import show_enrichment
from ui.parts.goes_with import show_goes_with
from ui.parts.library_facts import cover_link
from ui.parts.markup import show_heading
from ui.parts.player import library_track_path, show_player
from ui.parts.sounds_like import show_sounds_like
from ui.parts.track_facts import show_metrics
from ui.places import LIBRARY, SEPARATE, go
from ui.text import escape_markdown, size


def show_library_track(client: Workbench, track: TrackDetails) -> None:
    """Show player, corrections, facts and file of a track. Raises `ClientError`."""
    title = f"{track.artist} – {track.title}" if track.artist else track.title
    st.set_page_config(page_title=f"{title} · Stemcrate")
    show_heading(title)
    _show_way(track, title)
    if track.is_missing:
        st.warning(t("Its file was moved or deleted. Add it to the library again where it is now."))
    _show_desk(track)
    facts = _facts_of(track)
    show_metrics(facts, track.corrected, cover=cover_link(client, track))
    st.caption(escape_markdown(describe_file(track)))
    show_curves(facts)
    show_goes_with(client, track.id)
    show_sounds_like(client, track)
    show_enrichment(client, track.id, track.enrichment)
    show_analysis(facts)


def _show_way(track: TrackDetails, title: str) -> None:
    """Offer the way back to the library, and on to the stems."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if pressed(t("Library"), icon=":material/arrow_back:", key="to-library"):
            go(LIBRARY)
        if pressed(
            t("Separate"),
            icon=":material/graphic_eq:",
            type="primary",
            key="to-separate",
            disabled=track.is_missing,
        ):
            kept().again = Again([title], track_ids=[track.id])
            go(SEPARATE)


@st.fragment
def _show_desk(track: TrackDetails) -> None:
    """Show the player and the corrections; the page around it stays."""
    path = library_track_path(track.id)
    if not track.is_missing:
        show_player(path, n_stems=0)
    with st.expander(t("Correct"), icon=":material/edit:"):
        show_corrections(path, track.id)


def _facts_of(track: TrackDetails) -> JobFacts:
    known = track.facts.model_dump(exclude_unset=True)
    return JobFacts.model_validate(known | {"duration_s": track.duration_s})


def describe_file(track: TrackDetails) -> str:
    """Describe a track's file: name, format, size, and in how many places it is."""
    facts = [track.name]
    if track.codec or track.container:
        facts.append((track.codec or track.container or "").upper())
    if track.sample_rate:
        facts.append(f"{track.sample_rate / 1000:g} kHz")
    if track.bit_depth:
        facts.append(t("{n}-bit", n=track.bit_depth))
    facts.append(size(track.bytes))
    if track.n_files > 1:
        n = track.n_files
        facts.append(counted(n, "{n} file on the server", "{n} files on the server"))
    return " · ".join(facts)
