"""Words of the screens: every text that a person reads passes through here.

The code holds English texts. A file of `ui/languages/`, named by its language's code, gives the
translation of each.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

FOLDER = Path(__file__).with_name("languages")
ENGLISH = "en"
LANGUAGE = "lang"
"""Parameter of the URL, and of the session, with the language that the reader has chosen."""


def t(text: str, **values: object) -> str:
    """Return a text in the reader's language, with values put in.

    >>> t("{n} files", n=3)
    '3 files'
    """
    text = translations(language()).get(text, text)
    return text.format(**values) if values else text


def mark(text: str) -> str:
    """Return a text of a table as it is; `t` translates it where it is shown."""
    return text


def counted(n: int, one: str, many: str) -> str:
    """Return the form of a text for a number, which is ``{n}`` in it.

    >>> counted(1, "{n} track", "{n} tracks"), counted(2, "{n} track", "{n} tracks")
    ('1 track', '2 tracks')
    """
    return t(one if n == 1 else many, n=n)


OWN_NAME = mark("English")
"""Its translation is the name of the language in that language."""


def language() -> str:
    """Return the code of the chosen language, else of the browser's; outside of a page English."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    return str(st.session_state.get(LANGUAGE) or language_of(st.context.locale))


@lru_cache
def language_of(tag: str | None) -> str:
    """Return the code of a browser's language tag; English if there is no file for it.

    >>> language_of("de-AT"), language_of("nl"), language_of(None)
    ('de', 'en', 'en')
    """
    code = (tag or "").partition("-")[0].lower()
    return code if code in languages() else ENGLISH


@lru_cache
def languages() -> Mapping[str, str]:
    """Return the languages by code, each by its own name; English is the first."""
    codes = [ENGLISH, *sorted(path.stem for path in FOLDER.glob("*.json"))]
    return {code: translations(code).get(OWN_NAME, OWN_NAME) for code in codes}


@lru_cache
def translations(code: str) -> Mapping[str, str]:
    """Return the texts of a language by the English ones; none for English."""
    if code == ENGLISH:
        return {}
    found: dict[str, str] = json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    return found
