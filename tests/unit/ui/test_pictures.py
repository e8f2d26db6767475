"""The pictures: well-formed whatever they are given, and true to the numbers."""

import itertools
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ui
from ui.colours import STEM_COLOURS, camelot_colour, colour_of

THEME = Path(ui.__file__).parent / ".streamlit" / "config.toml"
# How linear RGB looks without one kind of cones: Machado, Oliveira, Fernandes 2009, severity 1.
CONES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def luminance(colour: str) -> float:
    red, green, blue = (linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def contrast(colour: str, other: str) -> float:
    dark, light = sorted((luminance(colour), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("label", [*STEM_COLOURS, "something else"])
def test_a_stem_stands_out_on_every_background(label: str) -> None:
    """Yellow on the light box had 1.4:1."""
    theme = tomllib.loads(THEME.read_text())["theme"]
    names = ("backgroundColor", "secondaryBackgroundColor")
    backgrounds = [theme[mode][name] for mode in ("light", "dark") for name in names]
    assert min(contrast(colour_of(label), back) for back in backgrounds) >= 3


@pytest.mark.parametrize("sight", CONES)
@pytest.mark.parametrize(
    "stems", [("vocals", "drums", "bass", "guitar", "piano", "other"), ("vocals", "accompaniment")]
)
def test_stems_of_a_model_differ_for_every_sight(sight: str, stems: tuple[str, ...]) -> None:
    """Other, accompaniment and instrumental were all violet."""
    seen = {stem: oklab(colour_of(stem), CONES[sight]) for stem in stems}
    distances = [math.dist(seen[a], seen[b]) for a, b in itertools.combinations(stems, 2)]
    assert min(distances) > 0.08


def oklab(colour: str, sight: Any) -> Any:
    """Ottosson 2020, of a colour as seen by someone with this sight."""
    rgb = np.array([linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5)])
    return np.cbrt(np.clip(sight @ rgb, 0, None) @ TO_LMS.T) @ TO_LAB.T


def test_an_unknown_key_is_grey() -> None:
    assert camelot_colour(None) == camelot_colour("?")
