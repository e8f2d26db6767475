"""The browser workbench: pages over the API.

`stemcrate ui` starts it with Streamlit.
"""

from pathlib import Path

import streamlit as st

from ui.buttons import forget_clicks
from ui.language import t
from ui.parts.language_choice import ask_language, take_language
from ui.parts.person import show_person
from ui.parts.player import show_dock
from ui.places import PLACES

LOGO = Path(__file__).with_name("logo.svg")


def main() -> None:
    """Lay out the workbench and run the requested page."""
    take_language()
    st.set_page_config(
        page_title="Stemcrate",
        page_icon="🎚️",
        layout="wide",
        menu_items={"About": t("Stemcrate: stems that add up to the song, and sets that mix.")},
    )
    st.logo(str(LOGO), size="large")
    show_dock()
    pages = [
        st.Page(place.script, title=t(place.title), icon=place.icon, default=place is PLACES[0])
        for place in PLACES
    ]
    # At the side it would take width from the tables, and push the page aside as it arrives.
    st.navigation(pages, position="top").run()
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        show_person()
        ask_language()
    forget_clicks()


if __name__ == "__main__":
    main()
