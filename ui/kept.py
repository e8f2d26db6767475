"""What pages keep while another page is open.

Streamlit forgets a widget's value as soon as a page without the widget runs. These values lie under
keys of their own, and widgets start from them.
"""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from stemcrate.schemas.configuration import Configuration

_KEPT = "kept"


@dataclass
class Upload:
    """A file in the drop zone. ``seconds`` is None if the browser cannot tell."""

    id: str | None
    name: str
    bytes: int
    seconds: float | None
    is_done: bool


@dataclass
class Refusal:
    """Why the API refused a job: beside an option, or for all."""

    message: str
    hint: str = ""
    field: str | None = None


@dataclass
class Again:
    """Files that are on the server: those of an earlier job, or of tracks of the library."""

    names: list[str]
    job_id: str | None = None
    track_ids: list[str] = field(default_factory=list)


@dataclass
class Kept:
    """The state of the form.

    ``started`` is a job that the address does not name yet: a run that a message of a script cuts
    short takes back what it wrote there. ``set_tracks`` are handed over to the planner of sets.
    ``n_additions`` counts how often adding tracks was offered: the library's table then searches
    again.
    """

    wish: str = "stems"
    options: dict[str, Any] = field(default_factory=dict)
    turn: int = 0
    uploads: list[Upload] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    file_refusals: dict[str, str] = field(default_factory=dict)
    refused_at: int = 0
    refusal: Refusal | None = None
    again: Again | None = None
    is_start_wanted: bool = False
    started: str | None = None
    estimates_s: dict[str, float] = field(default_factory=dict)
    config: Configuration | None = None
    set_tracks: list[str] | None = None
    n_additions: int = 0


def kept() -> Kept:
    """Return this session's state of the form."""
    found: Kept = st.session_state.setdefault(_KEPT, Kept())
    return found


def option_key(name: str) -> str:
    """Return the key of an option's widget.

    When all options change at once, the keys do, too: the widgets are new ones, which start from
    their defaults. A value that is set by its key instead is lost if the run that set it is cut
    short, and the browser then answers with the smallest number and empty texts.
    """
    turn = kept().turn
    return f"option-{name}-{turn}" if turn else f"option-{name}"
