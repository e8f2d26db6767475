"""Keys by their Camelot codes: 1 to 12 go round like a clock's hours; A is minor, B major."""

from ui.colours import camelot_colour

MINOR = dict(
    enumerate(
        ["A♭m", "E♭m", "B♭m", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F♯m", "D♭m"], start=1
    )
)
MAJOR = dict(enumerate(["B", "F♯", "D♭", "A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E"], start=1))
KEYS = {
    f"{hour}{letter}": name
    for letter, names in (("A", MINOR), ("B", MAJOR))
    for hour, name in names.items()
}
"""Names of keys by Camelot code."""
COLOURS = {code: camelot_colour(code) for code in KEYS}
