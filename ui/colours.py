"""One colour per stem, the same on light and dark backgrounds.

Each has a contrast of at least 3:1 (WCAG 2.2, 1.4.11) to the page and to the boxes of both themes.
Stems of one model stay apart for normal sight and without one kind of cones (protanopia,
deuteranopia, tritanopia after Machado et al. 2009): by 0.08 in Oklab, four times what is just
noticeable. Colours never stand alone: the name is always written beside them.
"""

STEM_COLOURS = {
    "vocals": "#f04ba5",
    "drums": "#4b87ff",
    "bass": "#a55a00",
    "guitar": "#008769",
    "piano": "#a5872d",
    "other": "#964bc3",
    "accompaniment": "#12805c",
    "residual": "#76808c",
    "original": "#76808c",
    "harmonic": "#1b8cb5",
    "percussive": "#e0523f",
    "main": "#76808c",
    "main_harmonic": "#1b8cb5",
    "main_percussive": "#e0523f",
    "acapella": "#f04ba5",
    "instrumental": "#12805c",
    "drumless": "#5c8a1e",
    "bassless": "#0e8aa6",
}
FALLBACK = "#6c7ae0"


def colour_of(label: str) -> str:
    """Return the colour of a stem or composite; unknown stems share one."""
    return STEM_COLOURS.get(label, FALLBACK)


def camelot_colour(camelot: str | None) -> str:
    """Return the colour of a Camelot code by its hour on the wheel; grey if unknown."""
    if not camelot or not camelot[:-1].isdigit():
        return "hsl(210 8% 55%)"
    hue = (int(camelot[:-1]) - 1) % 12 * 30
    return f"hsl({hue} 70% {60 if camelot.endswith('A') else 70}%)"
