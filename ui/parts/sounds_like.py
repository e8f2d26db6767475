"""The tracks of the library that sound like one."""

import streamlit as st

from stemcrate.client import ApiError
from stemcrate.schemas.enrichment import SimilarityBasis
from stemcrate.schemas.library import TrackDetails
from ui.connection import Workbench
from ui.language import t
from ui.parts.markup import show_html
from ui.parts.playlist_section import song
from ui.places import library_track_link
from ui.text import escape_html, percent

N_SHOWN = 10


@st.fragment
def show_sounds_like(client: Workbench, track: TrackDetails) -> None:
    """Show what sounds like a track, best first, once it is asked for. Raises `ClientError`.

    Compared is what a model has heard, else the descriptors of the analysis.
    """
    box = st.expander(
        t("Sounds like"), icon=":material/hearing:", key="sounds-like", on_change="rerun"
    )
    if not box.open:
        return
    is_heard = any(outcome.n_dimensions for outcome in track.enrichment.outcomes)
    basis = SimilarityBasis.SOUND if is_heard else SimilarityBasis.DESCRIPTORS
    try:
        found = client.list_similar(track.id, basis=basis, limit=N_SHOWN).tracks
    except ApiError as error:
        if error.code != "invalid_option":  # the track has no descriptors
            raise
        found = []
    with box:
        if not found:
            st.caption(t("Nothing in the library can be compared with this track."))
            return
        items = [
            f"<li>{song(place, entry.track, library_track_link(entry.track.id))}"
            f"<span>{escape_html(percent(max(entry.similarity, 0.0)))}</span></li>"
            for place, entry in enumerate(found, start=1)
        ]
        show_html(f'<ol class="sc-set">{"".join(items)}</ol>')
