"""The stem player and its dock: components of the browser, and what they report."""

from typing import Any

import streamlit as st

from stemcrate.client.connection import path_of
from ui.assets import module_component
from ui.colours import FALLBACK, STEM_COLOURS
from ui.language import language
from ui.mix import PlayedMix
from ui.parts.player_words import dock_words, player_words
from ui.places import JOB, TRACK, TRACK_ID, TRACK_INDEX, go, open_library_track
from ui.settings import API_PREFIX
from ui.style import space_for

_PLAYER = module_component("player", "player/index.js", css=("controls.css", "player/player.css"))
_DOCK = module_component("dock", "player/dock.js", css="player/dock.css")


def job_track_path(job_id: str, index: int) -> str:
    """Return the API's path of a job's track."""
    return path_of("job", job_id, "tracks", str(index))


def library_track_path(track_id: str) -> str:
    """Return the API's path of a track of the library."""
    return path_of("library", "tracks", track_id)


def show_player(path: str, n_stems: int) -> PlayedMix | None:
    """Show the player of a track; return its mix once it has settled, None while untouched.

    Parameters
    ----------
    path : of the track, by `job_track_path` or `library_track_path`.
    n_stems : number of stems, for the space that the player takes.

    The browser fetches what it plays and draws from the API and keeps the mix of each track. A
    change reruns the fragment that the player is in.
    """
    shown: Any = _PLAYER(
        key=space_for("player", n_stems) + path,
        data={
            "api": API_PREFIX,
            "path": path,
            "colours": STEM_COLOURS,
            "colour": FALLBACK,
            "words": player_words(),
        },
        on_mix_change=_ignore,
    )
    return PlayedMix.model_validate(shown.mix) if shown.mix else None


def show_dock() -> None:
    """Show what plays, on every page, and follow links to tracks without ending the sound."""
    with st.bottom:
        asked: Any = _DOCK(
            key="player-dock",
            data={"page": TRACK.address, "language": language(), "words": dock_words()},
            on_follow_change=_ignore,
        )
    target = asked.follow
    if target and target.get(JOB):
        go(TRACK, target[JOB], _index(target.get(TRACK_INDEX)))
    elif target and target.get(TRACK_ID):
        open_library_track(target[TRACK_ID])


def _index(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else 0


def _ignore() -> None:
    """Declare a state of a component, which its result tells."""
