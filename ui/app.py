"""The browser workbench: pages over the API.

`stemcrate ui` starts it with Streamlit.
"""

from pathlib import Path

import streamlit as st

from ui.parts.markup import show_style
from ui.places import PLACES

LOGO = Path(__file__).with_name("logo.svg")


def main() -> None:
    """Lay out the workbench and run the requested page."""
    st.set_page_config(
        page_title="Stemcrate",
        page_icon="🎚️",
        layout="wide",
        menu_items={"About": "Stemcrate: stems that add up to the song, and sets that mix."},
    )
    st.logo(str(LOGO), size="large")
    show_style()
    pages = [
        st.Page(place.script, title=place.title, icon=place.icon, default=place is PLACES[0])
        for place in PLACES
    ]
    st.navigation(pages).run()


if __name__ == "__main__":
    main()
