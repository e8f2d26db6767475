"""Corrections by hand beside the player: a component of the browser, which talks to the API."""

from typing import Any

import streamlit as st

from ui.assets import module_component
from ui.keys import KEYS
from ui.parts.player_words import correction_words
from ui.settings import API_PREFIX

_PANEL = module_component(
    "corrections", "corrections/index.js", css=("controls.css", "corrections/corrections.css")
)
_BY_HOUR = sorted(KEYS.items(), key=lambda key: int(key[0][:-1]))


def show_corrections(path: str, track_id: str, job_id: str | None = None) -> None:
    """Show the panel; when something was corrected, run the page again with the new facts.

    The player follows at once, by itself.

    Parameters
    ----------
    path : of the track that the player beside it plays.
    track_id : the track in the library.
    job_id : the job that adds the track to the library if it is not there.
    """
    shown: Any = _PANEL(
        key=f"corrections-{path}",
        data={
            "api": API_PREFIX,
            "path": path,
            "job": job_id,
            "id": track_id,
            "keys": _BY_HOUR,
            "words": correction_words(),
        },
        on_changed_change=lambda: None,
    )
    if shown.changed:
        st.rerun()
