"""Timbres of made pieces: nine families of synthesis, drums, and the room around them.

Seeded; nothing is sampled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from bench.made_scores import Note

FAMILIES = (
    "struck", "plucked", "organ", "bowed", "blown", "pulse", "saw", "bell", "voice", "driven",
)  # fmt: skip

DRUMS = ("kick", "snare", "hats")

_Array = NDArray[np.float64]
_MAX_PARTIALS = 24
# How fast partials fall, as a power of their number; 1 for other families.
_TILTS = {"struck": 1.2, "organ": 0.6, "bowed": 0.9, "blown": 2.0}
# Formants in Hz of five vowels.
_VOWELS = (
    (730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410),
)  # fmt: skip


@dataclass(frozen=True)
class Timbre:
    """How an instrument sounds; drawn by `draw_timbre`."""

    family: str
    tilt: float
    even: float
    decay: float
    damping: float
    stretch: float
    attack_s: float
    spread: float
    vibrato: float
    vibrato_hz: float
    noise: float
    glide: float
    vowel: tuple[int, ...]
    ratio: float


def draw_timbre(rng: np.random.Generator, family: str) -> Timbre:
    """Draw an instrument of a family."""
    is_struck = family in ("struck", "plucked", "bell")
    return Timbre(
        family=family,
        tilt={"struck": 1.2, "plucked": 1.0, "organ": 0.6, "bowed": 0.9, "blown": 2.0}.get(
            family, 1.0
        )
        * float(rng.uniform(0.7, 1.5)),
        even=float(rng.uniform(0.0, 0.4)) if family in ("pulse", "blown") else 1.0,
        decay=float(rng.uniform(0.7, 6)) if is_struck else float(rng.choice([0.0, 0.0, 1.0, 4.0])),
        damping=float(rng.uniform(0.1, 0.8)) if is_struck else 0.0,
        stretch=float(rng.uniform(0, 4e-4)) if family == "struck" else 0.0,
        attack_s=float(rng.uniform(0.001, 0.01) if is_struck else rng.uniform(0.005, 0.12)),
        spread=float(rng.uniform(0, 0.18)) if family in ("saw", "bowed") else 0.0,
        vibrato=float(rng.uniform(0, 0.5)) if family in ("voice", "bowed", "blown") else 0.0,
        vibrato_hz=float(rng.uniform(4, 7)),
        noise=float(rng.uniform(0, 0.1)) if family in ("blown", "voice", "bowed") else 0.0,
        glide=float(rng.choice([0, 0, 0, 1, 3])) if family in ("voice", "saw", "pulse") else 0.0,
        vowel=_VOWELS[int(rng.integers(len(_VOWELS)))],
        ratio=float(rng.choice([1.0, 2.0, 3.5, 1.41, 2.76])),
    )


def sound_notes(
    rng: np.random.Generator,
    timbre: Timbre,
    notes: Iterable[Note],
    *,
    beat_s: float,
    n_samples: int,
    rate_hz: int,
    tuning: float,
) -> _Array:
    """Sound the notes of one part, ``(n_samples,)``; ``tuning`` in semitones."""
    part = np.zeros(n_samples)
    tones: dict[tuple[float, int], _Array] = {}
    for note in notes:
        start = round((note.start * beat_s + float(rng.normal(scale=0.006))) * rate_hz)
        if not 0 <= start < n_samples:
            continue
        length = max(1, round(note.length * beat_s * rate_hz / 256)) * 256
        key = (note.pitch, length)
        if key not in tones:
            tones[key] = _tone(rng, timbre, note.pitch + tuning, length / rate_hz, rate_hz)
        tone = tones[key][: n_samples - start]
        part[start : start + len(tone)] += note.level * float(rng.uniform(0.8, 1.1)) * tone
    return part


def _tone(
    rng: np.random.Generator, timbre: Timbre, pitch: float, length_s: float, rate_hz: int
) -> _Array:
    release_s = 0.15 if timbre.family in ("struck", "bell", "blown", "voice", "bowed") else 0.04
    times = np.arange(int((length_s + release_s) * rate_hz)) / rate_hz
    hz = 440 * 2 ** ((pitch - 69) / 12)
    n_partials = int(np.clip(0.48 * rate_hz / hz, 1, _MAX_PARTIALS))
    bend = timbre.vibrato * np.sin(2 * np.pi * timbre.vibrato_hz * times) * np.minimum(1, times * 3)
    bend = bend - timbre.glide * np.exp(-times / 0.05)
    is_bent = bool(timbre.vibrato or timbre.glide)
    sound = np.zeros(len(times))
    for detune in (-timbre.spread, 0.0, timbre.spread) if timbre.spread else (0.0,):
        if is_bent:
            phase = np.cumsum(hz * 2 ** ((detune + bend) / 12)) / rate_hz
        else:
            phase = hz * 2 ** (detune / 12) * times
        phase = 2 * np.pi * (phase + float(rng.random()))
        sound += _wave(timbre, phase, times, hz, n_partials)
    if timbre.noise:
        sound += timbre.noise * rng.normal(size=len(times))
    if timbre.family == "driven":
        sound = np.tanh(3 * sound)
    release = np.clip((length_s + release_s - times) / release_s, 0, 1)
    envelope = np.minimum(1, times / timbre.attack_s) * release * np.exp(-timbre.decay * times)
    return np.asarray(sound * envelope)


def _wave(timbre: Timbre, phase: _Array, times: _Array, hz: float, n_partials: int) -> _Array:
    if timbre.family == "bell":
        index = 2.0 * np.exp(-4 * times)
        return np.asarray(np.sin(phase + index * np.sin(timbre.ratio * phase)))
    wave = np.zeros(len(times))
    for k in range(1, n_partials + 1):
        level = k**-timbre.tilt * (timbre.even if k % 2 == 0 else 1.0)
        if timbre.family == "voice":
            level *= 0.05 + sum(
                np.exp(-(((k * hz - f) / (80 + 0.1 * f)) ** 2)) for f in timbre.vowel
            )
        if timbre.family == "organ":
            level *= float(k in (1, 2, 3, 4, 6, 8))
        if level < 1e-3:
            continue
        part = level * np.sin(k * np.sqrt(1 + timbre.stretch * k * k) * phase)
        wave += part * np.exp(-timbre.damping * k * times) if timbre.damping else part
    return wave


def sound_drums(
    rng: np.random.Generator,
    *,
    beat_s: float,
    n_samples: int,
    rate_hz: int,
    parts: Sequence[str] = DRUMS,
) -> _Array:
    """Sound some of `DRUMS` in a bar of four that repeats; the kick may have a pitch.

    Generators of one seed give one kit and pattern.
    """
    times = np.arange(int(0.35 * rate_hz)) / rate_hz
    rest_hz, sweep_hz = rng.uniform(38, 80), rng.uniform(50, 350)
    phase = rest_hz * times + sweep_hz * (1 - np.exp(-25 * times)) / 25
    kick = np.sin(2 * np.pi * phase) * np.exp(-rng.uniform(4, 16) * times)
    noise = rng.normal(size=len(times))
    snare = 0.5 * noise * np.exp(-rng.uniform(10, 25) * times)
    snare += (
        rng.uniform(0, 0.6)
        * np.sin(2 * np.pi * rng.uniform(150, 240) * times)
        * np.exp(-25 * times)
    )
    hat = rng.uniform(0.05, 0.3) * np.diff(noise, prepend=0) * np.exp(-50 * times)
    part = np.zeros(n_samples)
    kicks: Sequence[float] = [(0, 1, 2, 3), (0, 2), (0, 1.5, 2.5), (0, 2.5)][int(rng.integers(4))]
    n_bars = int(n_samples / rate_hz / beat_s / 4) + 1
    kit = {"kick": (kick, kicks), "snare": (snare, (1, 3)), "hats": (hat, np.arange(0, 4, 0.5))}
    for sound, steps in (kit[name] for name in parts):
        for bar in range(n_bars):
            for step in steps:
                start = round((4 * bar + step) * beat_s * rate_hz)
                heard = sound[: max(0, n_samples - start)]
                part[start : start + len(heard)] += heard
    return part


def place_in_room(rng: np.random.Generator, mono: _Array, rate_hz: int) -> _Array:
    """Add a room, a filter, saturation and noise, each at times."""
    scale = np.abs(mono).max() + 1e-9
    mono = mono / scale
    if rng.random() < 0.6:
        times = np.arange(int(rng.uniform(0.2, 2.0) * rate_hz)) / rate_hz
        tail = rng.normal(size=len(times)) * np.exp(-6.9 * times / times[-1])
        tail *= rng.uniform(0.1, 0.6) / np.sqrt(np.square(tail).sum())
        mono = mono + fftconvolve(mono, tail)[: len(mono)]
    if rng.random() < 0.3:
        cut_hz = rng.uniform(400, 0.4 * rate_hz)
        mono = sosfilt(butter(2, cut_hz, "low", fs=rate_hz, output="sos"), mono)
    if rng.random() < 0.2:
        mono = sosfilt(butter(2, rng.uniform(60, 250), "high", fs=rate_hz, output="sos"), mono)
    mono = mono / (np.abs(mono).max() + 1e-9)
    if rng.random() < 0.3:
        mono = np.tanh(rng.uniform(1, 5) * mono)
    mono = mono + rng.normal(scale=10 ** rng.uniform(-5, -2), size=len(mono))
    return np.asarray(0.7 * mono / np.abs(mono).max())
