"""Buttons whose click is not lost.

Streamlit tells a button's click to one run. If that run ends before it comes to the button, as a
message from a script of the page or `st.rerun` may end it, the click is lost. A callback is called
before the run, and what it notes stays until a run comes to the button.
"""

from typing import Any

import streamlit as st

_CLICKED = "clicked-buttons"


def pressed(label: str, *, key: str | None = None, **look: Any) -> bool:
    """Show a button; return whether it was clicked.

    Parameters
    ----------
    key : needed where the label changes or is there twice on a page.
    look : what `st.button` takes besides.
    """
    name = key or f"button-{label}"
    st.button(label, key=name, on_click=_note, args=[name], **look)
    if name not in _clicked():
        return False
    _clicked().remove(name)
    return True


def forget_clicks() -> None:
    """Forget clicks of buttons that the page that has just run does not show any more."""
    _clicked().clear()


def _note(name: str) -> None:
    _clicked().add(name)


def _clicked() -> set[str]:
    found: set[str] = st.session_state.setdefault(_CLICKED, set())
    return found
