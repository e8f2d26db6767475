"""Songs of families of music, made by rule: the training data of the network of bars.

A family says how its drums, bass and chords are played. A song draws patterns, a kit, a tempo,
levels and a form: sections of 2, 4 or 8 bars in which parts enter and leave, fills before and
cymbals at their starts, chords that change on bar lines or just before. In half of the songs what
is played between the beats is louder and brighter than what is played on them. Seeded, and without
recordings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.groove_sounds import (
    RATE_HZ,
    Array,
    add,
    equalise,
    make_cymbal,
    make_hat,
    make_kick,
    make_note,
    make_percussion,
    make_snare,
    reverberate,
)
from bench.made_families import FAMILIES, Family
from bench.made_songs import MadeSong

_PARTS = ("kick", "snare", "hats", "open", "perc", "bass", "chords", "lead")
_DRUMS = _PARTS[:5]
_SCALE = (0, 2, 4, 5, 7, 9, 11)
_PROGRESSIONS = (
    (0, 4, 5, 3),
    (5, 3, 0, 4),
    (0, 3, 4, 4),
    (0, 5, 3, 4),
    (1, 4, 0, 0),
    (0, 0, 3, 4),
    (5, 4, 3, 4),
    (0, 0, 0, 0),
    (0, 3, 0, 4),
    (0, 0, 5, 5),
)


@dataclass(frozen=True, slots=True)
class _Time:
    """Times of steps: step ``i`` of bar ``b`` is at ``at(b, i)``."""

    first_s: float
    step_s: float
    steps: int
    swing: float
    late: Array

    def at(self, bar: int, step: float) -> float:
        whole = int(step)
        swung = self.swing * self.step_s * (whole % 2)
        human = self.late[(bar * self.steps + whole) % len(self.late)]
        return float(self.first_s + (bar * self.steps + step) * self.step_s + swung + human)


def make_groove(
    seed: int, duration_s: float = 26.0, *, families: Sequence[Family] = FAMILIES
) -> MadeSong:
    """Make the song of a seed, 26 s long by default."""
    rng = np.random.default_rng([seed, 77])
    family = families[seed % len(families)]
    tempo_bpm = float(np.exp(rng.uniform(*np.log(family.tempo_bpm))))
    steps = family.steps
    step_s = 60 / tempo_bpm * family.beats / steps
    first_s = float(rng.uniform(0, steps * step_s))
    loose_s = rng.choice([0.0, 0.0, 0.004, 0.01])
    swing = float(rng.choice(family.swing))
    time = _Time(first_s, step_s, steps, swing, rng.normal(scale=loose_s + 1e-9, size=997))
    n_bars = int((duration_s - first_s) / (steps * step_s)) + 2
    form = _draw_form(rng, family, n_bars)
    buses = {name: np.zeros(int((duration_s + 3) * RATE_HZ)) for name in _PARTS}
    _play_drums(rng, buses, family, time, form)
    _play_notes(rng, buses, family, time, form)
    return MadeSong(
        family.name,
        _mix(rng, buses, family, time, duration_s),
        tempo_bpm,
        first_s,
        family.beats,
    )


@dataclass(frozen=True, slots=True)
class _Bar:
    """Which parts play in a bar, whether it begins a section, whether it ends one in a fill."""

    parts: frozenset[str]
    is_start: bool
    has_fill: bool


def _draw_form(rng: np.random.Generator, family: Family, n_bars: int) -> list[_Bar]:
    """Draw the parts of each bar, from bar -1; sections are cut anywhere."""
    own = [name for name in _PARTS if family.has(name)]
    if family.kick and rng.random() < 0.2:
        own = [name for name in own if name in _DRUMS]
    size = int(rng.choice([2, 4, 4, 8, 8, 16]))
    shift, fills = int(rng.integers(0, size)), rng.random() < 0.5
    bars: list[_Bar] = []
    parts: frozenset[str] = frozenset()
    for bar in range(-1, n_bars):
        is_start = (bar + shift) % size == 0
        if is_start or not parts:
            leave = rng.choice([0.0, 0.15, 0.4])
            kept = [name for name in own if rng.random() > leave]
            if not {"kick", "bass", "chords", "lead", "snare"} & set(kept):
                kept = list(own)
            parts = frozenset(kept)
        bars.append(_Bar(parts, is_start, bool(fills and (bar + shift) % size == size - 1)))
    return bars


def _play_drums(
    rng: np.random.Generator,
    buses: dict[str, Array],
    family: Family,
    time: _Time,
    form: Sequence[_Bar],
) -> None:
    kits = {
        "kick": make_kick(rng),
        "snare": make_snare(rng),
        "hats": make_hat(rng, is_open=False),
        "open": make_hat(rng, is_open=True),
        "perc": make_percussion(rng),
    }
    if rng.random() < 0.2:
        kits["hats"] = make_cymbal(rng)
    fill, cymbal = make_percussion(rng), make_cymbal(rng)
    ghosts = rng.choice([0.0, 0.0, 0.3])
    crashes = rng.random() < 0.4
    for name, sound in kits.items():
        if not family.has(name):
            continue
        pattern = _vary(rng, str(rng.choice(family.patterns(name))))
        shown = rng.random(2 * time.steps) < 0.35
        accents = rng.uniform(0.75, 1.0, size=time.steps)
        for bar, state in enumerate(form, -1):
            for step in range(time.steps):
                mark = pattern[(bar * time.steps + step) % len(pattern)]
                in_fill = state.has_fill and step >= time.steps // 2
                if in_fill and name == "snare":
                    mark = "x" if rng.random() < 0.5 else "."
                if mark == "." and name == "snare" and rng.random() < ghosts * (step % 2):
                    ghost = rng.uniform(0.1, 0.35) * (name in state.parts)
                    add(buses[name], time.at(bar, step), sound, ghost)
                if name not in state.parts or mark == ".":
                    continue
                if mark == "o" and not shown[(bar % 2) * time.steps + step]:
                    continue
                level = accents[step] * (0.6 if mark == "o" else 1.0) * rng.uniform(0.85, 1.1)
                add(buses[name], time.at(bar, step), sound, level)
    for bar, state in enumerate(form, -1):
        if state.is_start and crashes:
            add(buses["hats"], time.at(bar, 0), cymbal, 1.0)
        if state.has_fill and family.has("snare"):
            for step in range(time.steps * 3 // 4, time.steps):
                if rng.random() < 0.6:
                    add(buses["snare"], time.at(bar, step), fill, rng.uniform(0.4, 1.0))


def _vary(rng: np.random.Generator, pattern: str) -> str:
    """Add and drop strokes of a pattern now and then; the first stays."""
    changes = rng.random(len(pattern)) < rng.choice([0.0, 0.0, 0.06, 0.12])
    marks = [
        rng.choice(["o", "."]) if changed and step else mark
        for step, (mark, changed) in enumerate(zip(pattern, changes, strict=True))
    ]
    return "".join(marks)


def _play_notes(
    rng: np.random.Generator,
    buses: dict[str, Array],
    family: Family,
    time: _Time,
    form: Sequence[_Bar],
) -> None:
    key = int(rng.integers(0, 12))
    progression = _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))]
    bars_a_chord = float(rng.choice(family.bars_a_chord))
    push = rng.choice([0, 0, 0, 1, 2]) if time.steps >= 12 else 0
    offset = int(rng.integers(0, 4))

    def degree(bar: int, step: float) -> int:
        place = (bar + (step + push) / time.steps) / bars_a_chord + offset
        return progression[int(np.floor(place)) % 4]

    bass_voice = (rng.uniform(2, 14), rng.uniform(0.7, 2.5), 0.004, bool(rng.random() < 0.3))
    chord_voice = (
        float(rng.choice([0.3, 1.0, 4.0, 10.0])),
        rng.uniform(0.7, 2.2),
        float(rng.choice([0.003, 0.003, 0.02, 0.15])),
        bool(rng.random() < 0.3),
    )
    lead_voice = (rng.uniform(1, 10), rng.uniform(0.6, 2), rng.choice([0.003, 0.01, 0.04]), False)
    bass = str(rng.choice(family.bass)) if family.bass else ""
    chords = str(rng.choice(family.chords)) if family.chords else ""
    strums = rng.random() < 0.3
    density = rng.uniform(0.15, 0.7)
    per_beat = time.steps // family.beats
    weight = np.where(np.arange(2 * time.steps) % per_beat == 0, 1.0, 0.6)
    weight[1::2] *= 0.5
    riff = rng.random(2 * time.steps) < density * weight
    tune = rng.integers(0, 8, size=2 * time.steps)
    rest = rng.random() < 0.4  # sung phrases leave the end of every second bar free
    for bar, state in enumerate(form, -1):
        for step in range(time.steps):
            tone, now = degree(bar, step), time.at(bar, step)
            root = key + _SCALE[tone % 7]
            mark = bass[step % len(bass)] if bass else "."
            if "bass" in state.parts and mark != ".":
                up = {"5": 7, "8": 12, "w": int(rng.choice([0, 3, 4, 5, 7, 9]))}.get(mark, 0)
                length_s = min(time.step_s * rng.choice([1.0, 2.0]), 1.0)
                note = make_note(28 + root + up, round(length_s, 2) + 0.05, *bass_voice)
                add(buses["bass"], now, note, rng.uniform(0.85, 1.1))
            mark = chords[step % len(chords)] if chords else "."
            if "chords" in state.parts and mark != ".":
                held = time.step_s * (time.steps if mark == "h" else 2)
                for order, third in enumerate((0, 2, 4)):
                    pitch = 52 + key + _SCALE[(tone + third) % 7]
                    chord = make_note(pitch, round(min(held, 4.0), 2) + 0.05, *chord_voice)
                    late_s = 0.015 * order if strums else 0.0
                    add(buses["chords"], now + late_s, chord, 0.4)
            place = (bar % 2) * time.steps + step
            if "lead" in state.parts and riff[place] and not (rest and place > 1.5 * time.steps):
                pitch = 64 + key + _SCALE[(tone + int(tune[place])) % 7]
                add(buses["lead"], now, make_note(pitch, 0.35, *lead_voice), rng.uniform(0.6, 1))


def _mix(
    rng: np.random.Generator,
    buses: dict[str, Array],
    family: Family,
    time: _Time,
    duration_s: float,
) -> NDArray[np.float32]:
    levels = {name: 10 ** rng.uniform(-1.1, 0.0) for name in buses}
    levels["kick"] *= 1.5
    if rng.random() < 0.5:
        for name in family.between:
            levels[name] = rng.uniform(0.7, 1.6)
        levels["kick"] = rng.uniform(0.4, 1.0)
    beat_s = time.step_s * time.steps / family.beats
    n_samples = int(duration_s * RATE_HZ)
    times_s = np.arange(n_samples) / RATE_HZ
    ducking = family.ducking * rng.choice([0.0, 0.4, 0.9])
    since_s = (times_s - time.first_s) % beat_s
    duck = 1 - ducking * np.exp(-rng.uniform(4, 10) * since_s / beat_s * 0.5)
    notes = sum(levels[name] * buses[name] for name in ("bass", "chords", "lead"))
    drums = sum(levels[name] * buses[name] for name in _DRUMS)
    notes = reverberate(rng, np.asarray(notes), rng.choice([0, 0, 0.3, 0.8]))
    drums = reverberate(rng, np.asarray(drums), rng.choice([0, 0, 0, 0.2]))
    mono = drums[:n_samples] + notes[:n_samples] * duck
    mono = equalise(rng, mono)
    mono /= np.abs(mono).max() + 1e-9
    drive = rng.choice([0.2, 1.5, 4.0])
    mono = np.tanh(drive * mono) / np.tanh(drive)
    mono += rng.normal(scale=10 ** rng.uniform(-5, -2.7), size=n_samples)
    return (0.6 * mono / np.abs(mono).max()).astype(np.float32)
