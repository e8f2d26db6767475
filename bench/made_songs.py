"""Songs made by rule, whose tempo, beats and bars are known: what rhythm is trained on.

Every song draws a style (where kick, snare and hats fall), a tempo out of that style's range, a
bass figure, a melody that repeats, chords that change on bar lines, and how loud each part is.
Seeded: the same songs come out each time. No recording is in them.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 22050

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Style:
    """Where drums fall, in steps of a bar; ``x`` always, ``o`` now and then, ``.`` never."""

    name: str
    tempo_bpm: tuple[float, float]
    kick: str
    snare: str
    hats: str
    beats: int = 4


STYLES = (
    Style("house", (115, 150), "x...x...x...x..o", "....x.......x...", "o.xoo.xoo.xoo.xo"),
    Style("rock", (85, 160), "x.....o.x.o.....", "....x.......x..o", "x.x.x.x.x.x.x.x."),
    Style("drum_and_bass", (155, 180), "x.........x..o..", "....x..o.o..x..o", "x.x.x.x.x.x.x.x."),
    Style("hip_hop", (78, 104), "x..o..ox..x..o..", "....x.......x..o", "x.x.x.xox.x.x.xo"),
    Style("trap", (125, 155), "x.....o...o..o..", "........x.......", "x.x.x.x.xox.x.xx"),
    Style("dembow", (86, 104), "x...x...x...x...", "...x..x....x..x.", "o.x.o.x.o.x.o.x."),
    Style("metal", (120, 185), "xoxoxoxoxoxoxoxo", "....x.......x...", "x...x...x...x..."),
    Style("punk", (150, 200), "x.....x.x.....x.", "....x.......x...", "x.x.x.x.x.x.x.x."),
    Style("breaks", (115, 145), "x.x.......xx....", "....x..o.o..x..o", "x.x.x.x.x.x.x.x."),
    Style("tresillo", (95, 140), "x..x..x.x..x..x.", "....x.......x...", "x.xox.xox.xox.xo"),
    Style("disco", (105, 130), "x...x...x...x...", "....x.......x...", "xoxxxoxxxoxxxoxx"),
    Style("shuffle", (80, 150), "x....ox....o", "...x.....x..", "x.xx.xx.xx.x"),
    Style("twelve_eight", (60, 100), "x..o..x..o..", "...x.....x..", "xxxxxxxxxxxx"),
    Style("waltz", (90, 180), "x.........o.", "....x...x...", "x.o.x.o.x.o.", 3),
    Style("metronome", (70, 180), "x...............", "................", "x...x...x...x..."),
    Style("no_drums", (75, 140), "................", "................", "................"),
)


@dataclass(frozen=True, slots=True)
class MadeSong:
    """A song, mono at `RATE_HZ`, and what is true of it."""

    style: str
    mono: NDArray[np.float32]
    tempo_bpm: float
    first_downbeat_s: float
    beats_per_bar: int


def make_song(seed: int, duration_s: float = 24.0) -> MadeSong:
    """Make the song of a seed, 24 s long unless told otherwise."""
    rng = np.random.default_rng(seed)
    style = STYLES[seed % len(STYLES)]
    tempo_bpm = float(np.exp(rng.uniform(*np.log(style.tempo_bpm))))
    steps = len(style.kick)
    step_s = 60 / tempo_bpm * style.beats / steps
    first_s = float(rng.uniform(0, steps * step_s))
    mono = np.zeros(int((duration_s + 2) * RATE_HZ))
    n_bars = int((duration_s - first_s) / (steps * step_s)) + 2
    swing = rng.choice([0.0, 0.0, 0.15, 0.3]) if steps == 16 else 0.0
    late_s = rng.choice([0.0, 0.003, 0.008])
    times = first_s + (np.arange(-steps, n_bars * steps)) * step_s
    times = times + swing * step_s * (np.arange(len(times)) % 2)
    times = times + rng.normal(scale=1e-9 + late_s, size=len(times))
    _play_drums(rng, mono, style, times)
    _play_notes(rng, mono, style, times, step_s)
    mono = mono[: int(duration_s * RATE_HZ)]
    mono += rng.normal(scale=10 ** rng.uniform(-5, -2.5), size=len(mono)) * np.abs(mono).max()
    mono *= 0.5 / np.abs(mono).max()
    return MadeSong(style.name, mono.astype(np.float32), tempo_bpm, first_s, style.beats)


def _play_drums(rng: np.random.Generator, mono: _Array, style: Style, times: _Array) -> None:
    kits = (
        (style.kick, _kick(rng), rng.uniform(0.4, 1.2)),
        (style.snare, _snare(rng), rng.uniform(0.3, 1.0)),
        (style.hats, _hat(rng), rng.uniform(0.03, 0.35)),
    )
    # Each bar of a pair may differ from the other, and a part may leave out a stretch.
    for pattern, sound, level in kits:
        steps = len(pattern)
        shown = rng.random(2 * steps) < 0.35
        silent_from = rng.integers(0, len(times)) if rng.random() < 0.3 else len(times)
        for index, time_s in enumerate(times):
            mark = pattern[index % steps]
            if silent_from <= index < silent_from + 4 * steps or mark == ".":
                continue
            if mark == "o" and not shown[index % (2 * steps)]:
                continue
            accent = 0.7 if mark == "o" else 1.0
            _add(mono, time_s, sound, level * accent * rng.uniform(0.8, 1.1))


def _play_notes(
    rng: np.random.Generator, mono: _Array, style: Style, times: _Array, step_s: float
) -> None:
    steps = len(style.kick)
    per_beat = steps // style.beats
    roots = rng.choice([0, 2, 4, 5, 7, 9], size=4)
    bars_a_chord = rng.choice([0.5, 1, 1, 1, 2], p=[0.15, 0.25, 0.2, 0.2, 0.2])
    weight = np.where(np.arange(steps) % per_beat == 0, 0.55, 0.3)
    weight[0] = 0.9
    if per_beat == 4:
        weight[1::2] *= 0.4
    bass = rng.random(2 * steps) < np.tile(weight, 2)
    if rng.random() < 0.2 and per_beat == 4 and steps == 16:
        bass = np.tile(np.array([c == "x" for c in "x..x..x.x..x..x."]), 2)
    melody = rng.random(2 * steps) < np.tile(weight * rng.uniform(0.3, 1.4), 2)
    tune = rng.choice([0, 2, 4, 7, 9, 12], size=2 * steps)
    levels = rng.uniform([0.1, 0.05, 0.02], [0.6, 0.5, 0.3])
    if style.name == "no_drums":
        levels = levels + 0.2
        melody |= np.tile(np.arange(steps) % max(1, per_beat // 2) == 0, 2)
    if style.name == "metronome":
        levels = levels * rng.choice([0.0, 0.1, 0.5])
    decay = rng.uniform(2, 14)
    for index, time_s in enumerate(times):
        place = index % (2 * steps)
        root = int(roots[int(index / steps / bars_a_chord) % 4])
        if bass[place]:
            _add(mono, time_s, _tone(36 + root, 0.3, 8.0, 4), levels[0])
        if melody[place]:
            _add(mono, time_s, _tone(64 + root + int(tune[place]), 0.4, decay, 6), levels[1])
        if index % max(1, round(steps * bars_a_chord)) == 0:
            length_s = steps * step_s * bars_a_chord
            for third in (0, 4, 7):
                _add(mono, time_s, _tone(52 + root + third, length_s, 0.3, 5, 0.03), levels[2])


def _add(mono: _Array, time_s: float, sound: _Array, level: float) -> None:
    start = round(time_s * RATE_HZ)
    if 0 <= start < len(mono):
        part = sound[: len(mono) - start]
        mono[start : start + len(part)] += level * part


@lru_cache(maxsize=256)
def _tone(midi: int, length_s: float, decay: float, partials: int, rise_s: float = 0.003) -> _Array:
    times = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    hz = 440 * 2 ** ((midi - 69) / 12)
    wave = sum(
        (np.sin(2 * np.pi * hz * k * times) / k for k in range(1, partials + 1)),
        start=np.zeros(len(times)),
    )
    shape = np.minimum(1, times / rise_s) * np.minimum(1, (length_s - times) / 0.01)
    return np.asarray(wave * shape * np.exp(-decay * times))


def _kick(rng: np.random.Generator) -> _Array:
    times = np.arange(RATE_HZ // 4) / RATE_HZ
    low, fall = rng.uniform(42, 65), rng.uniform(20, 60)
    phase = 2 * np.pi * (low * times + rng.uniform(60, 200) * (1 - np.exp(-fall * times)) / fall)
    return np.asarray(np.sin(phase) * np.exp(-rng.uniform(8, 25) * times))


def _snare(rng: np.random.Generator) -> _Array:
    times = np.arange(RATE_HZ // 4) / RATE_HZ
    noise = rng.normal(size=len(times)) * np.exp(-rng.uniform(12, 35) * times)
    tone = np.sin(2 * np.pi * rng.uniform(160, 240) * times) * np.exp(-30 * times)
    return np.asarray(0.4 * noise + rng.uniform(0.2, 0.8) * tone)


def _hat(rng: np.random.Generator) -> _Array:
    times = np.arange(RATE_HZ // 8) / RATE_HZ
    noise = np.diff(rng.normal(size=len(times) + 2), n=2)
    return np.asarray(noise * np.exp(-rng.uniform(25, 120) * times))
