"""A job's playlist: tracks in mixing order, with reasons."""

import streamlit as st

from stemcrate.schemas.jobs import Job, OutputFile
from stemcrate.schemas.library import TrackLine
from stemcrate.schemas.playlists import PlaylistRequest
from stemcrate.schemas.sets import SetDescription, SetTrack
from stemcrate.schemas.transitions import Transition
from ui.buttons import pressed
from ui.colours import camelot_colour
from ui.connection import Workbench
from ui.doubts import with_doubt
from ui.language import t
from ui.parts.markup import show_html, show_section
from ui.parts.messages import errors_shown
from ui.parts.wheel import show_wheel
from ui.places import open_set, track_link
from ui.text import UNKNOWN, escape_html, escape_markdown, length, number, percent


def show_playlist(
    client: Workbench, job: Job, playlist: SetDescription, artefacts: list[OutputFile]
) -> None:
    """Show the set: order, transitions with reasons, relaxed wishes, path on the wheel, file."""
    if not playlist.tracks:
        return
    show_section(t("Playlist"))
    order, wheel = st.columns([3, 2], gap="large")
    with order:
        show_html(set_list(job.job_id, playlist.tracks, playlist.transitions))
        for relaxed in playlist.relaxed:
            st.caption(escape_markdown(relaxed.words))
        with st.container(horizontal=True, gap="small"):
            if pressed(t("Edit as a set"), icon=":material/tune:"):
                with errors_shown():
                    _edit(client, job, playlist)
            for artefact in artefacts:
                if artefact.role == "playlist":
                    st.link_button(
                        f"{t('Download')} {escape_markdown(artefact.format.upper())}",
                        client.link(artefact.url),
                        icon=":material/playlist_play:",
                    )
    with wheel:
        scores = [transition.score for transition in playlist.transitions]
        path = [track.camelot for track in playlist.tracks]
        show_wheel(f"wheel-{job.job_id}", path, scores)


def _edit(client: Workbench, job: Job, playlist: SetDescription) -> None:
    """Keep the playlist as a set of the library, and open it."""
    ids = {track.index: track.id for track in job.tracks}
    tracks = [ids[track.index] for track in playlist.tracks]
    name = playlist.name or t("New set")
    open_set(client.create_playlist(PlaylistRequest(name=name, tracks=tracks)).id)


def set_list(job_id: str, tracks: list[SetTrack], transitions: list[Transition]) -> str:
    """Return the tracks and their transitions as markup."""
    into = {(step.from_id, step.to_id): step for step in transitions}
    items = []
    for place, track in enumerate(tracks):
        if place and (step := into.get((tracks[place - 1].index, track.index))):
            items.append(f"<li>{mix(step)}</li>")
        items.append(f"<li>{song(place + 1, track, track_link(job_id, track.index))}</li>")
    return f'<ol class="sc-set">{"".join(items)}</ol>'


def song(place: int, track: SetTrack | TrackLine, link: str) -> str:
    """Return a track as markup that leads to its page."""
    name = f"{track.artist} – {track.title}" if track.artist else track.title
    facts = "".join(
        f'<span class="sc-chip">{escape_html(text)}</span>'
        for text in (
            with_doubt(f"{number(track.tempo_bpm)} BPM", track.tempo_bpm, track.tempo_confidence),
            length(track.duration_s),
        )
    )
    camelot = with_doubt(track.camelot or UNKNOWN, track.camelot, track.key_confidence)
    return (
        f'<div class="sc-song"><span class="sc-place">{place}</span>'
        f'<a class="sc-title" href="{escape_html(link)}" target="_self">{escape_html(name)}</a>'
        f'<span class="sc-chip" style="--sc:{camelot_colour(track.camelot)}">'
        f"{escape_html(camelot)}</span>{facts}</div>"
    )


def mix(step: Transition) -> str:
    """Return a transition as markup: score and reasons."""
    reasons = " · ".join(step.reasons)
    return (
        f'<div class="sc-mix"><span class="sc-chip">↓ {percent(step.score)}</span>'
        f"<span>{escape_html(reasons)}</span></div>"
    )
