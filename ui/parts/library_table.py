"""The library as a component of the browser: search, table, and what is done with tracks."""

from dataclasses import dataclass
from typing import Any

from stemcrate.schemas.doubt import DOUBT_RULES
from ui.assets import module_component
from ui.kept import kept
from ui.keys import COLOURS, KEYS
from ui.language import t
from ui.parts.library_words import words
from ui.settings import API_PREFIX

_LIBRARY = module_component("library", "library/library.js", css="library/library.css")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked of the library.

    Parameters
    ----------
    track_id : of the track whose page is wanted.
    set_id : of the set whose page is wanted.
    tracks : ids of tracks to plan a set from.
    is_adding : whether tracks are to be added.
    """

    track_id: str | None
    set_id: str | None
    tracks: list[str] | None
    is_adding: bool


def show_library() -> Asked:
    """Show the library; return what was asked of it in this run."""
    answer: Any = _LIBRARY(
        key="library",
        data={
            "api": API_PREFIX,
            "words": words(),
            "keys": KEYS,
            "colours": COLOURS,
            "additions": kept().n_additions,
            "minConfidence": DOUBT_RULES.min_confidence,
            "formats": [("m3u8", "M3U8"), ("csv", "CSV"), ("pack", t("DJ pack (ZIP)"))],
        },
        on_open_change=lambda: None,
        on_set_change=lambda: None,
        on_plan_change=lambda: None,
        on_add_change=lambda: None,
    )
    return Asked(answer.open or None, answer.set or None, answer.plan or None, bool(answer.add))
