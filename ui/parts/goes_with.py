"""The tracks of the library that mix well after one."""

import streamlit as st

from stemcrate.client import ApiError
from ui.connection import Workbench
from ui.language import t
from ui.parts.markup import show_html
from ui.parts.playlist_section import mix, song
from ui.places import library_track_link

N_SHOWN = 10


@st.fragment
def show_goes_with(client: Workbench, track_id: str) -> None:
    """Show what goes with a track, best first, once it is asked for. Raises `ClientError`."""
    box = st.expander(
        t("Goes with"), icon=":material/playlist_add_check:", key="goes-with", on_change="rerun"
    )
    if not box.open:
        return
    try:
        found = client.list_compatible(track_id, limit=N_SHOWN).tracks
    except ApiError as error:
        if error.code != "track_not_found":
            raise
        found = []
    with box:
        if not found:
            st.caption(t("Nothing in the library goes with this track."))
            return
        items = [
            f"<li>{song(place, entry.track, library_track_link(entry.track.id))}"
            f"{mix(entry.transition)}</li>"
            for place, entry in enumerate(found, start=1)
        ]
        show_html(f'<ol class="sc-set">{"".join(items)}</ol>')
