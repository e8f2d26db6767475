"""Synthetic electronic tracks and loops with known keys, to find failures of a key estimator.

No recordings of dance music with agreed keys may be redistributed, and the public sets of piano and
folk tunes lack its difficulties: kicks with a pitch of their own, glides, detuned saws, pumping
pads, noise sweeps, one or two chords for minutes, modes beside major and minor. These tracks show
failures; only recordings show the accuracy of an estimator. Seeded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.harmony.camelot import key_of

RATE_HZ = 22050
N_BARS = 12
LOWEST_NOTE = 28  # E1: small loudspeakers reproduce nothing below it

_Array = NDArray[np.float64]
_Mode = Literal["major", "minor"]

# Notes above the tonic: natural minor, Dorian, Phrygian, harmonic minor; major, Mixolydian.
_SCALES: dict[_Mode, Sequence[tuple[int, ...]]] = {
    "minor": (
        (0, 2, 3, 5, 7, 8, 10),
        (0, 2, 3, 5, 7, 9, 10),
        (0, 1, 3, 5, 7, 8, 10),
        (0, 2, 3, 5, 7, 8, 11),
    ),
    "major": ((0, 2, 4, 5, 7, 9, 11), (0, 2, 4, 5, 7, 9, 10)),
}
_SCALE_ODDS = {"minor": (0.6, 0.15, 0.15, 0.1), "major": (0.7, 0.3)}
# Degrees of the scale that chords are built on, one per bar.
_CHORDS: dict[_Mode, Sequence[tuple[int, ...]]] = {
    "minor": ((0,), (0, 0, 0, 6), (0, 5), (0, 6, 5, 6), (0, 5, 2, 6), (0, 3), (0, 0, 3, 4)),
    "major": ((0,), (0, 3), (0, 4, 5, 3), (0, 6, 3, 0), (0, 0, 3, 4), (0, 3, 0, 4)),
}
_PARTS = {
    "track": ("drums", "bass", "pad", "lead", "noise"),
    "club": ("drums", "bass", "stab", "noise"),
    "drop": ("drums", "bass", "lead"),
    "break": ("pad", "lead", "noise"),
    "bass_loop": ("bass",),
    "bass_and_drums": ("drums", "bass"),
    "lead_loop": ("lead",),
    "pad_loop": ("pad",),
    "stab_loop": ("stab", "drums"),
}


@dataclass(frozen=True, slots=True)
class MadeHarmony:
    """A track of a kind, mono at `RATE_HZ`, and its key (``A minor``)."""

    kind: str
    mono: NDArray[np.float32]
    key: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """Shared by all parts of a track: notes (MIDI), chords (degrees), bars (s)."""

    tonic: float
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    bar_s: float

    def note(self, degree: int, octave: int) -> float:
        """Return the pitch of a degree of the scale, any integer, above C of an octave."""
        return 12 * (octave + 1 + degree // 7) + self.tonic + self.scale[degree % 7]

    def chord(self, bar: int) -> int:
        """Return the degree of a bar's chord."""
        return self.chords[bar % len(self.chords)]


def make_harmony(seed: int) -> MadeHarmony:
    """Make the track of a seed; two thirds are in minor, as in the genre."""
    rng = np.random.default_rng(seed)
    kind = list(_PARTS)[seed % len(_PARTS)]
    mode: _Mode = "minor" if rng.random() < 2 / 3 else "major"
    tonic = int(rng.integers(12))
    scale = _SCALES[mode][rng.choice(len(_SCALES[mode]), p=_SCALE_ODDS[mode])]
    plan = _Plan(
        tonic=tonic + rng.choice([0.0, rng.uniform(-0.35, 0.35)]),
        scale=scale,
        chords=_CHORDS[mode][int(rng.integers(len(_CHORDS[mode])))],
        bar_s=240 / rng.uniform(90, 175),
    )
    mono = np.zeros(int(N_BARS * plan.bar_s * RATE_HZ))
    for part in _PARTS[kind]:
        mono += rng.uniform(0.5, 1.2) * _PLAYERS[part](rng, plan, len(mono))
    mono += rng.normal(scale=1e-4, size=len(mono))
    mono *= 0.7 / np.abs(mono).max()
    return MadeHarmony(kind, mono.astype(np.float32), key_of(tonic, mode))


def _play_drums(rng: np.random.Generator, plan: _Plan, n_samples: int) -> _Array:
    """Kick that sweeps down to a pitch that need not be in the key, clap, hats."""
    part = np.zeros(n_samples)
    times = np.arange(RATE_HZ // 3) / RATE_HZ
    rest_hz, sweep_hz = rng.uniform(38, 75), rng.uniform(80, 350)
    phase = rest_hz * times + sweep_hz * (1 - np.exp(-25 * times)) / 25
    kick = np.sin(2 * np.pi * phase) * np.exp(-rng.uniform(5, 14) * times)
    noise = rng.normal(size=len(times))
    clap, hat = 0.4 * noise * np.exp(-18 * times), 0.2 * np.diff(noise, prepend=0)
    hat *= np.exp(-60 * times)
    is_broken = rng.random() < 0.4
    for bar in range(N_BARS):
        for beat in (0, 1.5, 2.5) if is_broken else range(4):
            _add(part, (bar + beat / 4) * plan.bar_s, 0.9 * kick)
        for beat in (1, 3):
            _add(part, (bar + beat / 4) * plan.bar_s, clap)
        for eighth in range(8):
            _add(part, (bar + eighth / 8) * plan.bar_s, hat)
    return part


def _play_bass(rng: np.random.Generator, plan: _Plan, n_samples: int) -> _Array:
    """Roots with passing notes and glides: sub, square or saw."""
    part = np.zeros(n_samples)
    partials = int(rng.choice([1, 3, 12]))
    rhythm = rng.random(16) < rng.uniform(0.25, 0.7)
    rhythm[0] = True
    moves = np.where(rng.random(16) < 0.2, rng.choice([-1, 2, 4, 6], size=16), 0)
    glide = rng.random() < 0.3
    octave = int(rng.choice([1, 2]))
    for bar in range(N_BARS):
        for step in np.flatnonzero(rhythm):
            note = plan.note(plan.chord(bar) + int(moves[step]), octave)
            note += 12 * (note < LOWEST_NOTE)
            sound = _saw(note, plan.bar_s / 8, partials, 0.0, 5.0 if glide else 0.0)
            _add(part, (bar + step / 16) * plan.bar_s, 0.5 * sound)
    return part


def _play_pad(rng: np.random.Generator, plan: _Plan, n_samples: int) -> _Array:
    """Detuned saws, one chord per bar, ducked on every beat; some with sevenths."""
    part = np.zeros(n_samples)
    degrees = (0, 2, 4, 6) if rng.random() < 0.3 else (0, 2, 4)
    spread = rng.uniform(0, 0.2)
    for bar in range(N_BARS):
        for degree in degrees:
            note = plan.note(plan.chord(bar) + degree, 4)
            _add(part, bar * plan.bar_s, 0.12 * _saw(note, plan.bar_s, 10, spread))
    beats = np.arange(n_samples) / RATE_HZ / plan.bar_s * 4 % 1
    return part * (1 - rng.uniform(0, 0.9) * np.exp(-4 * beats))


def _play_stab(rng: np.random.Generator, plan: _Plan, n_samples: int) -> _Array:
    """One chord transposed in parallel, as samplers do: its third need not fit the scale."""
    part = np.zeros(n_samples)
    shape = (0, plan.scale[2], 7, plan.scale[6])
    rhythm = [0, 3, 6, *rng.choice([8, 10, 11, 14], size=2, replace=False)]
    for bar in range(N_BARS):
        root = plan.note(plan.chord(bar), 4)
        for step in rhythm:
            for interval in shape:
                sound = _saw(root + interval, plan.bar_s / 6, 8, 0.08)
                _add(part, (bar + step / 16) * plan.bar_s, 0.15 * sound)
    return part


def _play_lead(rng: np.random.Generator, plan: _Plan, n_samples: int) -> _Array:
    """A riff of two bars that favours the tonic, the third and the fifth."""
    part = np.zeros(n_samples)
    degrees = rng.choice(7, size=32, p=(0.32, 0.1, 0.18, 0.08, 0.18, 0.06, 0.08))
    plays = rng.random(32) < rng.uniform(0.3, 0.7)
    plays[0], degrees[0] = True, 0
    octave = int(rng.choice([4, 5]))
    for index in np.flatnonzero(np.tile(plays, N_BARS // 2)):
        note = plan.note(int(degrees[index % 32]), octave)
        _add(part, index / 16 * plan.bar_s, 0.25 * _saw(note, plan.bar_s / 8, 8, 0.05))
    return part


def _play_noise(rng: np.random.Generator, plan: _Plan, n_samples: int) -> _Array:
    """Sweeps of noise that rise over four bars."""
    noise = rng.normal(size=n_samples)
    rise = np.arange(n_samples) / RATE_HZ / (4 * plan.bar_s) % 1
    part: _Array = rng.uniform(0, 0.1) * rise**2 * np.diff(noise, prepend=0)
    return part


_PLAYERS = {
    "drums": _play_drums,
    "bass": _play_bass,
    "pad": _play_pad,
    "stab": _play_stab,
    "lead": _play_lead,
    "noise": _play_noise,
}


@lru_cache(maxsize=512)
def _saw(note: float, length_s: float, partials: int, spread: float, glide: float = 0.0) -> _Array:
    """Synthesise a note: three saws ``spread`` semitones apart, from ``glide`` semitones below."""
    times = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    sound = np.zeros(len(times))
    for detune in (-spread, 0.0, spread) if spread else (0.0,):
        pitch = note + detune - glide * np.exp(-times / 0.04)
        phase = np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / RATE_HZ
        for partial in range(1, partials + 1):
            sound += np.sin(2 * np.pi * partial * phase) / partial
    shape = np.minimum(1, times / 0.005) * np.minimum(1, (length_s - times) / 0.01)
    return np.asarray(sound * shape * np.exp(-times / length_s))


def _add(part: _Array, time_s: float, sound: _Array) -> None:
    start = round(time_s * RATE_HZ)
    heard = sound[: max(0, len(part) - start)]
    part[start : start + len(heard)] += heard
