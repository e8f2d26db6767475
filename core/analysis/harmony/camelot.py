"""The 24 keys and their codes on the mixing wheels of DJs.

Conventions: a key is written ``A minor``; its Camelot code ``8A`` (``A`` minor, ``B`` major), its
Open Key code ``1m`` (``m`` minor, ``d`` major), its short name ``Am``. Going up one number is going
up a fifth. Spelling is that of rekordbox: flats, except for F sharp.

Several public tables are rotated (1A = C or 1A = A minor). Correct anchors: 8A = A minor,
11A = F sharp minor, 5A = C minor and 8B = C major; Open Key = (Camelot + 4) mod 12 + 1.
"""

import re
from typing import Literal

Relation = Literal[
    "same",
    "adjacent",
    "relative",
    "energy boost +2",
    "energy boost +7",
    "diagonal",
    "clash",
]

_MINOR_TONICS = ("Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "Db")
_MAJOR_TONICS = ("B", "F#", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E")
# Semitones above C.
_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

_CAMELOT_TO_KEY = {
    f"{number}{letter}": f"{tonic} {mode}"
    for letter, mode, tonics in (("A", "minor", _MINOR_TONICS), ("B", "major", _MAJOR_TONICS))
    for number, tonic in enumerate(tonics, start=1)
}
_KEY_TO_CAMELOT = {key: camelot for camelot, key in _CAMELOT_TO_KEY.items()}

KEYS: tuple[str, ...] = tuple(_KEY_TO_CAMELOT)
"""All 24 keys, in the order 1A … 12A, 1B … 12B."""

_BY_PITCH_CLASS = {
    ((_PITCH_CLASSES[key[0]] + {"#": 1, "b": -1}.get(key[1], 0)) % 12, key.split()[1]): key
    for key in KEYS
}

_CODE = re.compile(r"0?([1-9]|1[0-2])\s*([ABabmd])")
_NAME = re.compile(r"([A-Ga-g])\s*([#b♯♭]?|sharp|flat)[\s_-]*(M|[Mm]aj(?:or)?|m|[Mm]in(?:or)?)?")


def key_to_camelot(key: str) -> str:
    """Return the Camelot code of a key: ``A minor`` is ``8A``. Raises ValueError if unknown."""
    return _look_up(_KEY_TO_CAMELOT, key, "key")


def camelot_to_key(camelot: str) -> str:
    """Return the key of a Camelot code: ``8A`` is ``A minor``. Raises ValueError if unknown."""
    return _look_up(_CAMELOT_TO_KEY, camelot, "Camelot code")


def key_to_open_key(key: str) -> str:
    """Return the Open Key code of a key: ``A minor`` is ``1m``. Raises ValueError if unknown."""
    number, letter = _split(key_to_camelot(key))
    return f"{(number + 4) % 12 + 1}{'m' if letter == 'A' else 'd'}"


def key_to_short(key: str) -> str:
    """Return the short name for tags: ``A minor`` is ``Am``, ``C major`` is ``C``.

    Raises ValueError if unknown.
    """
    key_to_camelot(key)
    tonic, mode = key.split()
    return f"{tonic}m" if mode == "minor" else tonic


def key_of(pitch_class: int, mode: Literal["major", "minor"]) -> str:
    """Return the key on a pitch class, 0 for C to 11 for B: ``(9, "minor")`` is ``A minor``."""
    return _BY_PITCH_CLASS[pitch_class % 12, mode]


def parse_key(text: str) -> str | None:
    """Parse a key in the notations of people and programs.

    Parameters
    ----------
    text : ``A minor``, ``Am``, ``amin``, ``8A``, ``08a``, ``1m``, ``F#m``, ``Gbm``, ``B♭``, …; a
        single letter is a major key.

    Returns
    -------
    The key in the spelling of `KEYS`, or None if the text is not a key, as tags may hold any text.
    """
    text = text.strip()
    if code := _CODE.fullmatch(text):
        number, letter = int(code[1]), code[2]
        if letter in "md":
            number, letter = (number + 6) % 12 + 1, "A" if letter == "m" else "B"
        return _CAMELOT_TO_KEY[f"{number}{letter.upper()}"]
    if name := _NAME.fullmatch(text):
        sharpened = {"#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}.get(name[2], 0)
        is_minor = name[3] == "m" or (name[3] or "").lower().startswith("min")
        pitch_class = _PITCH_CLASSES[name[1].upper()] + sharpened
        return key_of(pitch_class, "minor" if is_minor else "major")
    return None


def relation(first: str, second: str) -> Relation:
    """Return the harmonic relation of two Camelot codes, from the first into the second.

    Returns
    -------
    ``same``; ``adjacent``: a fifth up or down, one note differs; ``relative``: the major or minor
    of the same notes; ``energy boost +2``: up two semitones, ``energy boost +7``: up one, both in
    this direction only; ``diagonal``: a fifth and across the wheel; else ``clash``.

    Raises ValueError for an invalid Camelot code.
    """
    step, same_letter = _compare(first, second)
    if same_letter:
        names: dict[int, Relation] = {
            0: "same",
            1: "adjacent",
            11: "adjacent",
            2: "energy boost +2",
            7: "energy boost +7",
        }
        return names.get(step, "clash")
    if step == 0:
        return "relative"
    return "diagonal" if step in (1, 11) else "clash"


def _look_up(table: dict[str, str], name: str, kind: str) -> str:
    if name not in table:
        raise ValueError(f"not a {kind}: {name!r}")
    return table[name]


def _split(camelot: str) -> tuple[int, str]:
    camelot_to_key(camelot)
    return int(camelot[:-1]), camelot[-1]


def _compare(first: str, second: str) -> tuple[int, bool]:
    """Return the steps clockwise from first to second, 0 … 11, and whether the letters match."""
    (from_number, from_letter), (to_number, to_letter) = _split(first), _split(second)
    return (to_number - from_number) % 12, from_letter == to_letter
