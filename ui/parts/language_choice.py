"""The choice of the language, at the foot of each page."""

import streamlit as st

from ui.language import LANGUAGE, language, languages, t

_CHOICE = "language-choice"


def take_language() -> None:
    """Take the language from the URL; the session keeps it, and the URL for a reload."""
    given = st.query_params.get(LANGUAGE)
    if given in languages():
        st.session_state[LANGUAGE] = given
    elif LANGUAGE in st.session_state:
        st.query_params[LANGUAGE] = st.session_state[LANGUAGE]


def ask_language() -> None:
    """Ask for the language."""
    st.session_state[_CHOICE] = language()
    st.selectbox(
        t("Language"),
        list(languages()),
        format_func=languages().__getitem__,
        key=_CHOICE,
        on_change=_keep,
        label_visibility="collapsed",
        width=160,
    )


def _keep() -> None:
    st.session_state[LANGUAGE] = st.session_state[_CHOICE]
    st.query_params[LANGUAGE] = st.session_state[_CHOICE]
