"""Sets as components of the browser: their list, the planner, and one set."""

from typing import Any

from stemcrate.schemas.configuration import Configuration
from stemcrate.schemas.curves import NAMED_CURVES
from stemcrate.schemas.doubt import DOUBT_RULES
from stemcrate.schemas.playlists import PlaylistPage, PlaylistView, StemFormat
from stemcrate.schemas.sets import DEFAULT_MAX_PITCH_PERCENT, SetWishes
from ui.assets import module_component
from ui.language import t
from ui.parts.set_words import curve_names, list_words, planner_words, set_words
from ui.parts.wheel import wheel_data
from ui.settings import API_PREFIX

FAIR_SCORE = 0.5
CSS = ("wheel/wheel.css", "sets/sets.css")
_LIST = module_component("sets", "sets/list.js", css=CSS)
_PLANNER = module_component("planner", "sets/planner.js", css=CSS)
_SET = module_component("set", "sets/set.js", css=CSS)


def show_list(page: PlaylistPage) -> dict[str, Any] | None:
    """Show the sets; return where the reader wants to go."""
    data = {"api": API_PREFIX, "words": list_words(), "page": page.model_dump(mode="json")}
    return _go(_LIST(key="sets", data=data, on_go_change=lambda: None))


def show_planner(
    tracks: list[str] | None, again: PlaylistView | None = None
) -> dict[str, Any] | None:
    """Show the planner; return where the reader wants to go.

    Parameters
    ----------
    tracks : ids that were handed over, or None.
    again : the set whose wishes the planner starts from, or None.
    """
    curves = [
        {"name": name, "label": label, "points": NAMED_CURVES.get(name)}
        for name, label in curve_names().items()
    ]
    data = {
        **_shared(),
        "words": planner_words(),
        "curves": curves,
        "tracks": tracks,
        "maxPitch": DEFAULT_MAX_PITCH_PERCENT,
        "name": again.name if again else None,
        "wishes": (again.request or SetWishes()).model_dump(mode="json") if again else None,
    }
    key = f"planner-{again.id}" if again else "planner"
    return _go(_PLANNER(key=key, data=data, on_go_change=lambda: None))


def show_set(view: PlaylistView, config: Configuration) -> dict[str, Any] | None:
    """Show a set; return where the reader wants to go."""
    data = {
        **_shared(),
        "words": set_words(),
        "set": view.model_dump(mode="json"),
        "formats": [form.model_dump() for form in config.exports if form.name in view.exports],
        "systems": [
            {"name": "macos", "label": "macOS", "example": "/Users/dj/Music/Set"},
            {"name": "windows", "label": "Windows", "example": "D:\\Music\\Set"},
            {"name": "linux", "label": "Linux", "example": "/home/dj/Music/Set"},
        ],
        "stemFormats": [
            (StemFormat.ALAC_24, t("ALAC, 24 bits")),
            (StemFormat.ALAC_16, t("ALAC, 16 bits")),
            (StemFormat.AAC, t("AAC, smaller")),
        ],
    }
    return _go(_SET(key=f"set-{view.id}", data=data, on_go_change=lambda: None))


def _shared() -> dict[str, Any]:
    return {
        "api": API_PREFIX,
        **wheel_data(),
        "minConfidence": DOUBT_RULES.min_confidence,
        "fair": FAIR_SCORE,
    }


def _go(answer: Any) -> dict[str, Any] | None:
    return answer.go or None
