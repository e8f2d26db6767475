"""One colour per stem, legible on light and dark backgrounds."""

STEM_COLOURS = {
    "vocals": "#f06595",
    "drums": "#4dabf7",
    "bass": "#ffa94d",
    "guitar": "#51cf66",
    "piano": "#fcc419",
    "other": "#9775fa",
    "accompaniment": "#9775fa",
    "residual": "#868e96",
    "harmonic": "#22b8cf",
    "percussive": "#ff8787",
    "main": "#7c8796",
    "main_harmonic": "#22b8cf",
    "main_percussive": "#ff8787",
    "acapella": "#f06595",
    "instrumental": "#845ef7",
    "drumless": "#20c997",
    "bassless": "#94d82d",
}
FALLBACK = "#748ffc"


def colour_of(label: str) -> str:
    """Return the colour of a stem or composite; unknown stems share one."""
    return STEM_COLOURS.get(label, FALLBACK)


def camelot_colour(camelot: str | None) -> str:
    """Return the colour of a Camelot code by its hour on the wheel; grey if unknown."""
    if not camelot or not camelot[:-1].isdigit():
        return "hsl(210 8% 55%)"
    hue = (int(camelot[:-1]) - 1) % 12 * 30
    return f"hsl({hue} 70% {60 if camelot.endswith('A') else 70}%)"
