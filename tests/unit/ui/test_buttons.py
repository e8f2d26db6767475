"""Buttons whose click is not lost."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

import ui
from tests.conditions import PATIENCE_S


def page_with_a_search() -> None:
    """Run twice when the search changes, before the run comes to the button, as a page may."""
    import streamlit as st

    from ui.buttons import forget_clicks, pressed

    state = st.session_state
    if st.text_input("Search", key="search") != state.get("searched", ""):
        state["searched"] = state["search"]
        st.rerun()
    if not state.get("is_hidden") and pressed("Open"):
        state["opened"] = state.get("opened", 0) + 1
    forget_clicks()


def open_page() -> AppTest:
    return AppTest.from_function(page_with_a_search, default_timeout=PATIENCE_S).run()


def test_a_click_counts_once() -> None:
    app = open_page()
    app.button[0].click().run()
    app.run()
    assert app.session_state["opened"] == 1


def test_a_click_outlives_the_run_that_ends_before_the_button() -> None:
    app = open_page()
    app.text_input[0].input("harbour")
    app.button[0].click().run()
    assert app.session_state["opened"] == 1


def test_a_click_on_what_is_gone_is_not_kept_for_later() -> None:
    app = open_page()
    app.session_state["is_hidden"] = True
    app.button[0].click().run()
    app.session_state["is_hidden"] = False
    app.run()
    assert "opened" not in app.session_state


def test_no_page_uses_a_button_that_loses_clicks() -> None:
    folder = Path(ui.__path__[0])
    pages = [path for path in folder.rglob("*.py") if path.name != "buttons.py"]
    assert not [path for path in pages if re.search(r"\.button\(", path.read_text())]
