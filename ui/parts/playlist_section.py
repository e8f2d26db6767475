"""A job's playlist: tracks in mixing order, with reasons."""

import streamlit as st

from stemcrate.schemas.jobs import OutputFile
from stemcrate.schemas.sets import SetDescription, SetTrack
from stemcrate.schemas.transitions import Transition
from ui.colours import camelot_colour
from ui.connection import Workbench
from ui.parts.markup import show_html
from ui.text import UNKNOWN, escape_html, escape_markdown, length, number, percent
from ui.wheel_svg import draw_wheel


def show_playlist(client: Workbench, playlist: SetDescription, artefacts: list[OutputFile]) -> None:
    """Show the set: order, transitions with reasons, relaxed wishes, path on the wheel, file."""
    if not playlist.tracks:
        return
    st.subheader("Playlist", anchor=False)
    order, wheel = st.columns([3, 2], gap="large")
    with order:
        show_html(set_list(playlist.tracks, playlist.transitions))
        for relaxed in playlist.relaxed:
            st.caption(escape_markdown(relaxed.words))
        for artefact in artefacts:
            if artefact.role == "playlist":
                st.link_button(
                    f"Download {escape_markdown(artefact.format.upper())}",
                    client.link(artefact.url),
                    icon=":material/playlist_play:",
                )
    with wheel:
        scores = [transition.score for transition in playlist.transitions]
        show_html(draw_wheel([track.camelot for track in playlist.tracks], scores))


def set_list(tracks: list[SetTrack], transitions: list[Transition]) -> str:
    """Return the tracks and their transitions as markup."""
    into = {(step.from_id, step.to_id): step for step in transitions}
    items = []
    for place, track in enumerate(tracks):
        if place and (step := into.get((tracks[place - 1].index, track.index))):
            items.append(f"<li>{_transition(step)}</li>")
        items.append(f"<li>{_song(place + 1, track)}</li>")
    return f'<ol class="sc-set">{"".join(items)}</ol>'


def _song(place: int, track: SetTrack) -> str:
    name = f"{track.artist} – {track.title}" if track.artist else track.title
    facts = "".join(
        f'<span class="sc-chip">{escape_html(text)}</span>'
        for text in (f"{number(track.tempo_bpm)} BPM", length(track.duration_s))
    )
    return (
        f'<div class="sc-song"><span class="sc-place">{place}</span>'
        f'<span class="sc-title">{escape_html(name)}</span>'
        f'<span class="sc-chip" style="--sc:{camelot_colour(track.camelot)}">'
        f"{escape_html(track.camelot or UNKNOWN)}</span>{facts}</div>"
    )


def _transition(step: Transition) -> str:
    reasons = " · ".join(step.reasons).replace("-", "−")
    return (
        f'<div class="sc-mix"><span class="sc-chip">↓ {percent(step.score)}</span>'
        f"<span>{escape_html(reasons)}</span></div>"
    )
