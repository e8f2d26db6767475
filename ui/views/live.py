"""Live: what plays on the decks of players, what mixes next, and what was played."""

from datetime import datetime

import streamlit as st

from stemcrate.schemas.decks import Deck, DecksReport, PlayedTrack
from stemcrate.schemas.playlists import PlaylistRequest
from stemcrate.schemas.search import TrackQuery
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.language import counted, t
from ui.parts.decks import decks_list, heard_deck, player_name, track_name
from ui.parts.markup import show_heading, show_html, show_section, table
from ui.parts.messages import errors_shown
from ui.parts.playlist_section import mix, song
from ui.places import library_track_link, open_set
from ui.text import UNKNOWN, escape_html, escape_markdown, moment

LOOK_EVERY_S = 1.0
LOOK_AT_PLAYED_EVERY_S = 5.0
N_NEXT = 8
MAX_PITCH = 0.06
"""How far the tempo of a suggestion is from that of a track that the library does not know."""


def show() -> None:
    """Show the page."""
    show_heading(t("Live"), t("What plays on the decks of your players, and what mixes next."))
    with errors_shown():
        if connect().get_decks().is_on:
            _show_decks()
            _show_played()
        else:
            st.info(
                t(
                    "This installation does not listen for players. `DECKS=on` switches it on: "
                    "Denon DJ players on its network are then shown here."
                )
            )


@st.fragment(run_every=LOOK_EVERY_S)
def _show_decks() -> None:
    client = connect()
    with errors_shown():
        report = client.get_decks()
        if report.error:
            st.error(escape_markdown(report.error))
        if not report.devices:
            st.info(t("No player is heard. It shows up here a second after it is switched on."))
        for device in report.devices:
            show_section(player_name(device))
            if device.decks:
                show_html(decks_list(device))
            else:
                st.caption(escape_markdown(device.error or t("Connecting…")))
        if (deck := heard_deck(report)) is not None:
            _show_next(client, report, deck)


def _show_next(client: Workbench, report: DecksReport, deck: Deck) -> None:
    show_section(t("What mixes next"))
    loaded = {d.track_id for device in report.devices for d in device.decks if d.track_id}
    if deck.track_id:
        st.caption(t("After {name}", name=escape_markdown(track_name(deck))))
        items = _compatible(client, deck.track_id, loaded)
    else:
        st.caption(
            t(
                "{name} is not in the library: these fit its key and tempo.",
                name=escape_markdown(track_name(deck)),
            )
        )
        items = _fitting(client, deck, loaded)
    if items:
        show_html(f'<ol class="sc-set">{"".join(items)}</ol>')
    else:
        st.caption(t("Nothing in the library goes with this track."))


def _compatible(client: Workbench, track_id: str, loaded: set[str]) -> list[str]:
    found = client.list_compatible(track_id, limit=N_NEXT + len(loaded)).tracks
    wanted = [entry for entry in found if entry.track.id not in loaded][:N_NEXT]
    return [
        f"<li>{song(place, entry.track, library_track_link(entry.track.id))}"
        f"{mix(entry.transition)}</li>"
        for place, entry in enumerate(wanted, start=1)
    ]


def _fitting(client: Workbench, deck: Deck, loaded: set[str]) -> list[str]:
    if not (deck.camelot and deck.tempo_bpm):
        return []
    query = TrackQuery(
        mixes_with=deck.camelot,
        tempo_min_bpm=round(deck.tempo_bpm * (1 - MAX_PITCH), 2),
        tempo_max_bpm=round(deck.tempo_bpm * (1 + MAX_PITCH), 2),
        limit=N_NEXT + len(loaded),
    )
    wanted = [track for track in client.list_tracks(query).tracks if track.id not in loaded]
    return [
        f"<li>{song(place, track, library_track_link(track.id))}</li>"
        for place, track in enumerate(wanted[:N_NEXT], start=1)
    ]


@st.fragment(run_every=LOOK_AT_PLAYED_EVERY_S)
def _show_played() -> None:
    client = connect()
    with errors_shown():
        played = client.get_decks().played
        show_section(t("Played"))
        if not played:
            st.caption(t("Tracks that were heard for half a minute are listed here."))
            return
        rows = [_row(track) for track in reversed(played)]
        show_html(table([t("When"), t("Track")], rows))
        known = list(dict.fromkeys(track.track_id for track in played if track.track_id))
        n_unknown = sum(track.track_id is None for track in played)
        if n_unknown:
            st.caption(
                counted(
                    n_unknown,
                    "{n} track is not in the library, and is left out of the set.",
                    "{n} tracks are not in the library, and are left out of the set.",
                )
            )
        if pressed(t("Keep as a set"), icon=":material/save:", disabled=not known):
            _keep(client, played[0].at, known)


def _row(track: PlayedTrack) -> list[str]:
    name = " – ".join(filter(None, (track.artist, track.title))) or track.path or UNKNOWN
    words = escape_html(name)
    if track.track_id:
        link = escape_html(library_track_link(track.track_id))
        words = f'<a href="{link}" target="_self">{words}</a>'
    return [escape_html(moment(track.at, st.context.timezone)), words]


def _keep(client: Workbench, began: datetime, tracks: list[str]) -> None:
    """Keep what was played as a set of the library, and open it."""
    name = t("Live, {when}", when=moment(began, st.context.timezone))
    open_set(client.create_playlist(PlaylistRequest(name=name, tracks=tracks)).id)


if __name__ == "__main__":
    show()
