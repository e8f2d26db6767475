"""The tracks in the order that mixes best, and why."""

from typing import Any

import streamlit as st

from stemcrate.schemas.jobs import OutputFile
from ui.colours import camelot_colour
from ui.connection import Workbench
from ui.parts.markup import show_html
from ui.text import escape_html, escape_markdown, length, number, percent
from ui.wheel_svg import draw_wheel


def show_playlist(client: Workbench, playlist: dict[str, Any], artefacts: list[OutputFile]) -> None:
    """Show the set: order, transitions with reasons, the path on the wheel, the file."""
    tracks = playlist.get("tracks", [])
    if not tracks:
        return
    st.subheader("Playlist", anchor=False)
    order, wheel = st.columns([3, 2], gap="large")
    transitions = playlist.get("transitions", [])
    with order:
        show_html(set_list(tracks, transitions))
        for artefact in artefacts:
            if artefact.role == "playlist":
                st.link_button(
                    f"Download {escape_markdown(artefact.format.upper())}",
                    client.link(artefact.url),
                    icon=":material/playlist_play:",
                )
    with wheel:
        scores = [transition["score"] for transition in transitions]
        show_html(draw_wheel([track.get("camelot") for track in tracks], scores))


def set_list(tracks: list[dict[str, Any]], transitions: list[dict[str, Any]]) -> str:
    """Make the list of tracks and the transitions between them as markup."""
    into = {(step["from"], step["to"]): step for step in transitions}
    items = []
    for place, track in enumerate(tracks):
        if place and (step := into.get((tracks[place - 1]["index"], track["index"]))):
            items.append(f"<li>{_transition(step)}</li>")
        items.append(f"<li>{_song(place + 1, track)}</li>")
    return f'<ol class="sc-set">{"".join(items)}</ol>'


def _song(place: int, track: dict[str, Any]) -> str:
    artist = track.get("artist")
    name = f"{artist} – {track['title']}" if artist else track["title"]
    camelot = track.get("camelot")
    facts = "".join(
        f'<span class="sc-chip">{escape_html(text)}</span>'
        for text in (f"{number(track.get('tempo_bpm'))} BPM", length(track.get("duration_s")))
    )
    return (
        f'<div class="sc-song"><span class="sc-place">{place}</span>'
        f'<span class="sc-title">{escape_html(name)}</span>'
        f'<span class="sc-chip" style="--sc:{camelot_colour(camelot)}">'
        f"{escape_html(camelot or '—')}</span>{facts}</div>"
    )


def _transition(step: dict[str, Any]) -> str:
    reasons = " · ".join(step["reasons"]).replace("-", "−")
    return (
        f'<div class="sc-mix"><span class="sc-chip">↓ {percent(step["score"])}</span>'
        f"<span>{escape_html(reasons)}</span></div>"
    )
