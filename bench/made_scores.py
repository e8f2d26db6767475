"""Music by rule: notes, chords and keys of pieces in seven idioms, the truth of made pieces.

Each idiom has progressions and a way to play them: classical phrases with cadences, secondary
dominants and modulations; folk songs; loops of pop; changes of jazz; riffs and loops of dance
music, modes included; slow ambient chords; a voice alone. Seeded, and without recordings or scores.

Conventions: times in beats; pitches are MIDI; a degree is a numeral of `_DEGREES`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

IDIOMS = ("classical", "folk", "pop", "jazz", "dance", "ambient", "voice")

Mode = Literal["major", "minor"]

QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10),
    "sus4": (0, 5, 7),
    "5": (0, 7),
}
"""Semitones above the root of each quality of chord."""

_DEGREES = {
    "I": (0, ""), "ii": (2, "m"), "iii": (4, "m"), "IV": (5, ""), "V": (7, ""), "vi": (9, "m"),
    "V7": (7, "7"), "vii": (11, "dim"), "I7": (0, "7"), "II7": (2, "7"), "III7": (4, "7"),
    "VI7": (9, "7"), "bVII": (10, ""), "bVI": (8, ""), "bIII": (3, ""), "bII": (1, ""),
    "iv": (5, "m"), "v": (7, "m"), "i": (0, "m"), "iio": (2, "dim"), "bvii": (10, "m"),
    "IV7": (5, "7"), "bII7": (1, "7"), "bVII7": (10, "7"), "Imaj7": (0, "maj7"),
    "IVmaj7": (5, "maj7"), "ii7": (2, "m7"), "iii7": (4, "m7"), "vi7": (9, "m7"), "i7": (0, "m7"),
    "iv7": (5, "m7"), "v7": (7, "m7"), "iih": (2, "m7b5"), "bVImaj7": (8, "maj7"),
    "bIIImaj7": (3, "maj7"), "Vsus": (7, "sus4"), "Isus": (0, "sus4"), "I5": (0, "5"),
    "bVI5": (8, "5"), "bVII5": (10, "5"), "IV5": (5, "5"), "V5": (7, "5"), "bIII5": (3, "5"),
}  # fmt: skip

# What follows a degree in classical phrases; repeated where it is likelier.
_FOLLOWING: dict[Mode, dict[str, str]] = {
    "major": {
        "I": "I IV IV V V V7 vi ii iii I7 VI7 II7 III7", "ii": "V V V7 V7 vii", "iii": "vi vi IV",
        "IV": "V V7 I ii vii I", "V": "I I vi V7 I", "V7": "I I I vi", "vi": "ii IV II7 V IV",
        "vii": "I I V7", "I7": "IV IV", "II7": "V V V7", "III7": "vi vi", "VI7": "ii ii",
    },
    "minor": {
        "i": "i iv iv V V V7 bVI iio bVII bIII I7 II7", "iio": "V V7 V7", "iv": "V V7 i iio bVII",
        "V": "i i V7 bVI i", "V7": "i i i bVI", "bVI": "iio iv V bIII", "bVII": "bIII bIII i",
        "bIII": "bVI iv V bVII", "vii": "i i", "I7": "iv iv", "II7": "V V7",
    },
}  # fmt: skip
_CADENCES = {
    "major": ("ii V7 I", "IV V I", "IV V7 I", "I V I", "ii V I", "IV I", "I V"),
    "minor": ("iio V7 i", "iv V i", "iv V7 i", "i V i", "iv i", "i V"),
}
_FOLK: dict[Mode, tuple[str, ...]] = {
    "major": (
        "I I V7 I", "I IV I V7", "I IV V7 I", "I vi IV V", "I I IV V7", "I ii V7 I", "IV I V7 I",
        "I bVII I bVII", "I bVII IV I",
    ),
    "minor": (
        "i i V i", "i bVII i bVII", "i iv V7 i", "i bVII bVI V", "i bIII bVII i", "i v i i",
        "i IV i bVII", "i iv bVII bIII", "i bVI bVII i",
    ),
}  # fmt: skip
_POP: dict[Mode, tuple[str, ...]] = {
    "major": (
        "I V vi IV", "I vi IV V", "I IV V IV", "vi IV I V", "IV I V vi", "I IV vi V", "I iii IV V",
        "I bVII IV I", "IV V iii vi", "ii V I vi", "I I IV IV", "I IV iv I", "I V ii IV",
        "Imaj7 IVmaj7 Imaj7 IVmaj7", "IVmaj7 iii7 vi7 Imaj7", "I III7 vi IV", "I Vsus vi7 IV",
    ),
    "minor": (
        "i bVI bIII bVII", "i bVII bVI bVII", "i iv bVI V", "i bVII bVI V", "i bIII bVII IV",
        "i iv i v", "i7 iv7 i7 v7", "bVI bVII i i", "i bVI iv V7", "i v bVI iv", "i bVII iv bVI",
        "i bVImaj7 bIIImaj7 bVII", "iv bVII bIII bVI",
    ),
}  # fmt: skip
_JAZZ: dict[Mode, tuple[str, ...]] = {
    "major": (
        "Imaj7 vi7 ii7 V7", "ii7 V7 Imaj7 Imaj7", "iii7 VI7 ii7 V7", "Imaj7 I7 IVmaj7 bVII7",
        "Imaj7 ii7 iii7 ii7", "II7 II7 ii7 V7", "Imaj7 III7 vi7 I7", "IVmaj7 iv7 iii7 VI7",
        "ii7 bII7 Imaj7 VI7", "I7 IV7 I7 I7", "IV7 IV7 I7 VI7", "ii7 V7 I7 V7", "III7 VI7 II7 V7",
    ),
    "minor": (
        "i7 iih V7 i7", "iih V7 i7 i7", "i7 iv7 iih V7", "iv7 bVII7 bIIImaj7 bVImaj7",
        "i7 bVImaj7 iih V7", "i7 i7 iv7 iv7", "i7 bII7 i7 V7", "bVImaj7 V7 i7 I7",
    ),
}  # fmt: skip
_DANCE: dict[Mode, tuple[str, ...]] = {
    "major": (
        "I", "I IV", "I I IV V", "I V vi IV", "I bVII", "Imaj7 IVmaj7", "I bVII IV I", "IV I",
        "I5", "I vi", "I iii", "IVmaj7 Imaj7",
    ),
    "minor": (
        "i", "i i i bVII", "i bVI", "i bVII bVI bVII", "i iv", "i7", "i7 iv7", "i bVI bIII bVII",
        "i bII", "i IV", "i v", "I5", "I5 bVI5 bVII5 I5", "I5 bIII5 IV5 I5", "i7 bvii",
        "i i bVI bVII", "bVI bVII i i", "i V",
    ),
}  # fmt: skip
_AMBIENT: dict[Mode, tuple[str, ...]] = {
    "major": ("I", "Imaj7 IVmaj7", "I V", "IV I", "Imaj7 iii7 IVmaj7 I", "Isus I", "I ii7"),
    "minor": ("i", "i7 bVImaj7", "i v7", "i7 iv7", "i bVI bIII bVII", "i bVII", "I5"),
}
_LOOPS: dict[str, dict[Mode, tuple[str, ...]]] = {
    "folk": _FOLK,
    "pop": _POP,
    "jazz": _JAZZ,
    "dance": _DANCE,
    "ambient": _AMBIENT,
}

_SCALES: dict[Mode, Sequence[tuple[int, ...]]] = {
    "major": ((0, 2, 4, 5, 7, 9, 11), (0, 2, 4, 7, 9), (0, 2, 4, 5, 7, 9, 10)),
    "minor": ((0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 9, 10)),
}
_BEATS_A_CHORD = {
    "classical": (1, 1, 2, 2, 4), "folk": (2, 4, 4), "pop": (2, 4, 4, 4), "jazz": (2, 4, 4),
    "dance": (2, 4, 4, 8), "ambient": (8, 16), "voice": (2, 4),
}  # fmt: skip
_TEMPI_BPM = {
    "classical": (60, 140), "folk": (80, 180), "pop": (70, 140), "jazz": (90, 220),
    "dance": (90, 175), "ambient": (60, 110), "voice": (60, 120),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Harmony:
    """A chord: pitch classes of root and bass, a quality, beats; and the key around it."""

    root: int
    quality: str
    bass: int
    start: float
    length: float
    key: tuple[int, Mode]

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Return the pitch classes from the root on."""
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality])


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a part; ``level`` about 1."""

    part: str
    pitch: float
    start: float
    length: float
    level: float = 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """A piece: its chords, its notes, and its key as tonic and mode."""

    idiom: str
    tempo_bpm: float
    key: tuple[int, Mode]
    chords: tuple[Harmony, ...]
    scale: tuple[int, ...]
    notes: list[Note] = field(default_factory=list)


def write_harmony(rng: np.random.Generator, idiom: str, duration_s: float) -> Score:
    """Write the chords of a piece, at least as long as ``duration_s``."""
    mode: Mode = "minor" if rng.random() < (0.66 if idiom == "dance" else 0.45) else "major"
    tonic = int(rng.integers(12))
    tempo_bpm = float(rng.uniform(*_TEMPI_BPM[idiom]))
    n_beats = duration_s * tempo_bpm / 60
    odds = (0.75, 0.15, 0.1) if mode == "major" else (0.7, 0.15, 0.15)
    scale = _SCALES[mode][int(rng.choice(3, p=odds))]
    if idiom in ("classical", "jazz"):
        scale = _SCALES[mode][0]
    is_free = idiom in ("classical", "voice") and (idiom == "classical" or rng.random() < 0.5)
    write = _write_phrases if is_free else _write_loop
    chords = write(rng, idiom, (tonic, mode), n_beats)
    return Score(idiom, tempo_bpm, (tonic, mode), tuple(chords), scale)


def _write_phrases(
    rng: np.random.Generator, idiom: str, home: tuple[int, Mode], n_beats: float
) -> list[Harmony]:
    """Write phrases that end in cadences; later ones may leave the key, and come back."""
    chords: list[Harmony] = []
    now, key, phrase = 0.0, home, 0
    step = float(rng.choice(_BEATS_A_CHORD[idiom]))
    wanders = rng.uniform(0.0, 0.8)
    while now < n_beats:
        if phrase:
            key = _leave(rng, home, key, wanders)
        degrees = ["I" if key[1] == "major" else "i"]
        for _ in range(int(rng.integers(2, 7))):
            degrees.append(str(rng.choice(_FOLLOWING[key[1]][degrees[-1]].split())))
        degrees += str(rng.choice(_CADENCES[key[1]])).split()
        for degree in degrees:
            length = step * float(rng.choice([0.5, 1, 1, 1, 2])) if step > 1 else step
            chords.append(_place(rng, degree, key, now, length, inverts=0.35))
            now += length
        phrase += 1
    return chords


def _leave(
    rng: np.random.Generator, home: tuple[int, Mode], key: tuple[int, Mode], wanders: float
) -> tuple[int, Mode]:
    if key != home and rng.random() < 0.4:
        return home
    if rng.random() > wanders:
        return key
    tonic, mode = home
    if mode == "major":
        others: list[tuple[int, Mode]] = [
            (7, "major"), (7, "major"), (7, "major"), (9, "minor"), (5, "major"), (2, "minor"),
            (4, "minor"), (0, "minor"),
        ]  # fmt: skip
    else:
        others = [
            (3, "major"), (3, "major"), (7, "minor"), (5, "minor"), (8, "major"), (0, "major"),
            (10, "major"),
        ]  # fmt: skip
    step, other = others[int(rng.integers(len(others)))]
    return (tonic + step) % 12, other


def _write_loop(
    rng: np.random.Generator, idiom: str, key: tuple[int, Mode], n_beats: float
) -> list[Harmony]:
    """Repeat one to three progressions; songs may end in a higher key."""
    loops = _LOOPS["folk" if idiom == "voice" else idiom][key[1]]
    length = float(rng.choice(_BEATS_A_CHORD[idiom]))
    n_loops = 1 if idiom in ("dance", "ambient") and rng.random() < 0.7 else int(rng.integers(2, 4))
    chosen = [str(loops[int(index)]).split() for index in rng.integers(len(loops), size=n_loops)]
    turns = int(rng.choice([1, 2, 2, 4]))
    inverts = 0.15 if idiom in ("pop", "folk", "ambient") else 0.05
    chords: list[Harmony] = []
    now, part = 0.0, 0
    while now < n_beats:
        for _ in range(turns):
            for degree in chosen[part % n_loops]:
                chords.append(_place(rng, degree, key, now, length, inverts))
                now += length
        part += 1
    return chords


def _place(
    rng: np.random.Generator,
    degree: str,
    key: tuple[int, Mode],
    start: float,
    length: float,
    inverts: float,
) -> Harmony:
    step, quality = _DEGREES[degree]
    root = (key[0] + step) % 12
    tones = QUALITIES[quality]
    bass = root
    if rng.random() < inverts and len(tones) > 2:
        bass = (root + tones[int(rng.choice([1, 1, 2]))]) % 12
    return Harmony(root, quality, bass, start, length, key)
