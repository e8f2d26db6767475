"""Who is signed in, and the way out, at the foot of each page."""

from html import escape
from urllib.parse import unquote

import streamlit as st

from ui.language import t
from ui.server.sign_in.gate import SIGN_OUT
from ui.settings import NAME_HEADER, SESSION_COOKIE


def show_person() -> None:
    """Show the name of the person and a link that signs out; nothing where nobody signs in."""
    if name := st.context.headers.get(NAME_HEADER):
        st.caption(t("Signed in as {name}", name=unquote(name)), width="content")
    if SESSION_COOKIE in st.context.cookies:
        link = f'<a href="{SIGN_OUT}" target="_self">{escape(t("Sign out"))}</a>'
        st.html(link, width="content")
