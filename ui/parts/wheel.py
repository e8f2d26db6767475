"""The Camelot wheel with the path of a set, as a component of the browser."""

from collections.abc import Sequence
from typing import Any

from ui.assets import module_component
from ui.keys import COLOURS, KEYS
from ui.parts.set_words import wheel_words

GOOD_SCORE = 0.7
_WHEEL = module_component("wheel", "wheel/wheel.js", css="wheel/wheel.css")


def wheel_data() -> dict[str, Any]:
    """Return what every wheel is drawn from."""
    return {"keys": KEYS, "colours": COLOURS, "good": GOOD_SCORE}


def show_wheel(key: str, path: Sequence[str | None], scores: Sequence[float]) -> None:
    """Show the wheel with tracks numbered in playing order; unknown keys are left out.

    Parameters
    ----------
    key : of the component; unique on the page.
    path : Camelot codes in playing order; None where the key is unknown.
    scores : of the transitions, 0 to 1, one fewer than codes; they colour the line.
    """
    words = wheel_words()
    _WHEEL(key=key, data={**wheel_data(), "words": words, "path": [*path], "scores": [*scores]})
