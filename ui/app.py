"""The browser workbench: three pages over the API.

`stemcrate ui` starts it with Streamlit.
"""

from pathlib import Path

import streamlit as st

from ui.parts.markup import show_style

LOGO = Path(__file__).with_name("logo.svg")


def main() -> None:
    """Lay out the workbench and run the page asked for."""
    st.set_page_config(
        page_title="Stemcrate",
        page_icon="🎚️",
        layout="wide",
        menu_items={"About": "Stemcrate: stems that add up to the song, and sets that mix."},
    )
    st.logo(str(LOGO), size="large")
    show_style()
    page = st.navigation(
        [
            st.Page(
                "views/process.py", title="Process", icon=":material/graphic_eq:", default=True
            ),
            st.Page("views/results.py", title="Results", icon=":material/queue_music:"),
            st.Page("views/history.py", title="History", icon=":material/history:"),
        ]
    )
    page.run()


if __name__ == "__main__":
    main()
