"""Families of music of `bench.made_grooves`: what drums, bass and chords play in a bar.

``made_families.toml`` holds them. Patterns have one mark a step: ``x`` always, ``o`` at times,
``.`` never. In basses ``5`` and ``8`` are the fifth and the octave, ``w`` a step of a walk; in
chords ``h`` is held for a bar. A shorter pattern repeats, a
longer one lasts for several bars.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Family:
    """How a family of music is played.

    Parameters
    ----------
    tempo_bpm : range, as DJs count it.
    kick, snare, hats, open, perc : patterns to choose from; () for none.
    bass, chords : the same for notes.
    lead : whether a melody plays.
    between : parts that are heard between the beats; a song may play them loudest.
    beats, steps : of a bar.
    swing : shares of a step by which every second one may come late.
    bars_a_chord : lengths of a chord.
    ducking : how far the kick lowers notes at most, 0 to 1.
    weight : how often the family is played, relative to others.
    """

    name: str
    tempo_bpm: tuple[float, float]
    kick: tuple[str, ...] = ()
    snare: tuple[str, ...] = ()
    hats: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    perc: tuple[str, ...] = ()
    bass: tuple[str, ...] = ()
    chords: tuple[str, ...] = ()
    lead: bool = True
    between: tuple[str, ...] = ()
    beats: int = 4
    steps: int = 16
    swing: tuple[float, ...] = (0.0,)
    bars_a_chord: tuple[float, ...] = (0.5, 1, 1, 2)
    ducking: float = 0.0
    weight: int = 1

    def has(self, part: str) -> bool:
        """Whether a part plays at all."""
        return bool(getattr(self, part))

    def patterns(self, part: str) -> tuple[str, ...]:
        """Return the patterns of a drum."""
        found: tuple[str, ...] = getattr(self, part)
        return found


def _read_families() -> tuple[Family, ...]:
    with (Path(__file__).parent / "made_families.toml").open("rb") as file:
        tables = tomllib.load(file)
    return tuple(Family(name, **_freeze(table)) for name, table in tables.items())


def _freeze(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}


FAMILIES = tuple(family for family in _read_families() for _ in range(family.weight))
"""Every family, as often as its weight says."""
