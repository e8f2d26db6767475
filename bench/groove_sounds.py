"""Sounds of the songs made by rule (`bench.made_grooves`): drums, basses, chords, leads.

Every function returns mono float64 samples at `RATE_HZ` of peak level near 1. Parameters are drawn
from the generator that is passed in, so that no two songs share a drum kit.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.signal import lfilter

RATE_HZ = 22050

Array = NDArray[np.float64]


def make_kick(rng: np.random.Generator) -> Array:
    """Make a kick: acoustic, of a drum machine, long or distorted."""
    times = _times(rng.choice([0.15, 0.25, 0.25, 0.5]))
    low, fall = rng.uniform(38, 75), rng.uniform(20, 80)
    sweep = rng.uniform(30, 250) * (1 - np.exp(-fall * times)) / fall
    body = np.sin(2 * np.pi * (low * times + sweep)) * np.exp(-rng.uniform(5, 30) * times)
    click = rng.normal(size=len(times)) * np.exp(-rng.uniform(150, 600) * times)
    wave = body + rng.choice([0, 0.1, 0.3, 0.6]) * click
    if rng.random() < 0.3:
        wave = np.tanh(rng.uniform(2, 8) * wave)
    return _level(wave)


def make_snare(rng: np.random.Generator) -> Array:
    """Make a snare, a clap or a rim shot."""
    times = _times(0.3)
    kind = rng.choice(["snare", "snare", "clap", "rim"])
    if kind == "rim":
        hz = rng.uniform(400, 1800)
        return _level(np.sin(2 * np.pi * hz * times) * np.exp(-rng.uniform(40, 120) * times))
    noise = _colour(rng.normal(size=len(times)), rng.uniform(0.0, 0.9))
    if kind == "clap":
        bursts = sum(
            np.where(times > late, np.exp(-rng.uniform(100, 250) * (times - late)), 0.0)
            for late in (0.0, 0.011, 0.022)
        )
        tail = np.where(times > 0.03, np.exp(-rng.uniform(10, 35) * (times - 0.03)), 0.0)
        return _level(noise * (bursts + tail))
    tone = np.sin(2 * np.pi * rng.uniform(150, 260) * times) * np.exp(-30 * times)
    noise *= np.exp(-rng.uniform(8, 35) * times)
    return _level(_level(noise) + rng.uniform(0.2, 1.2) * tone)


def make_hat(rng: np.random.Generator, *, is_open: bool) -> Array:
    """Make a closed or an open hi-hat; some are shakers."""
    times = _times(0.35 if is_open else 0.12)
    noise = _colour(rng.normal(size=len(times)), rng.uniform(-0.98, -0.3))
    decay = rng.uniform(6, 20) if is_open else rng.uniform(30, 120)
    rise = np.minimum(1, times / rng.choice([0.001, 0.001, 0.02]))
    return _level(noise * rise * np.exp(-decay * times))


def make_cymbal(rng: np.random.Generator) -> Array:
    """Make a crash or a ride."""
    times = _times(1.5)
    noise = _colour(rng.normal(size=len(times)), rng.uniform(-0.9, -0.3))
    return _level(noise * np.exp(-rng.uniform(2, 8) * times))


def make_percussion(rng: np.random.Generator) -> Array:
    """Make a conga, a tom, a cowbell or a block."""
    times = _times(0.3)
    hz = rng.choice([rng.uniform(80, 160), rng.uniform(180, 450), rng.uniform(500, 2500)])
    bend = 1 + rng.uniform(0, 0.3) * np.exp(-40 * times)
    wave = np.sin(2 * np.pi * np.cumsum(hz * bend) / RATE_HZ)
    wave += rng.uniform(0, 0.6) * np.sin(2 * np.pi * 1.5 * hz * times)
    return _level(wave * np.exp(-rng.uniform(10, 50) * times))


@lru_cache(maxsize=512)
def make_note(
    midi: int, length_s: float, decay: float, bright: float, rise_s: float, is_odd: bool
) -> Array:
    """Make a note whose partials fall with the power ``bright``; odd ones alone sound hollow."""
    times = _times(length_s)
    hz = 440 * 2 ** ((midi - 69) / 12)
    wave = np.zeros(len(times))
    for partial in range(1, 16, 2 if is_odd else 1):
        if partial * hz > RATE_HZ * 0.45 or partial**-bright < 0.01:
            break
        inner = 1 + 0.15 * (partial - 1) if decay > 1 else 1.0
        phase = 2 * np.pi * partial * (hz * times) + partial
        wave += partial**-bright * np.sin(phase) * np.exp(-decay * inner * times)
    shape = np.minimum(1, times / rise_s) * np.minimum(1, (length_s - times) / 0.01)
    return _level(wave * shape)


def add(mono: Array, time_s: float, sound: Array, level: float) -> None:
    """Add a sound at a time; what lies outside is dropped."""
    start = round(time_s * RATE_HZ)
    if 0 <= start < len(mono):
        part = sound[: len(mono) - start]
        mono[start : start + len(part)] += level * part


def reverberate(rng: np.random.Generator, mono: Array, share: float) -> Array:
    """Add the sound of a room, by convolution with decaying noise."""
    if not share:
        return mono
    length_s = rng.uniform(0.2, 2.0)
    times = _times(length_s)
    tail = _colour(rng.normal(size=len(times)), 0.5) * np.exp(-6 / length_s * times)
    tail /= np.sqrt(np.sum(tail**2))
    size = fft.next_fast_len(len(mono) + len(tail), real=True)
    wet = fft.irfft(fft.rfft(mono, size) * fft.rfft(tail, size), size)[: len(mono)]
    return mono + share * wet


def equalise(rng: np.random.Generator, mono: Array) -> Array:
    """Tilt the spectrum either way, and cut the lowest bass of some songs."""
    size = fft.next_fast_len(len(mono), real=True)
    spectrum = fft.rfft(mono, size)
    hz = np.maximum(fft.rfftfreq(size, 1 / RATE_HZ), 20)
    gain = (hz / 500) ** rng.normal(scale=0.25)
    if rng.random() < 0.15:
        gain *= 1 / np.sqrt(1 + (rng.uniform(60, 200) / hz) ** 4)
    return np.asarray(fft.irfft(spectrum * gain, size)[: len(mono)])


def _times(length_s: float) -> Array:
    return np.arange(max(2, int(length_s * RATE_HZ))) / RATE_HZ


def _colour(noise: Array, pole: float) -> Array:
    """Filter noise by one pole: above 0 darker, below brighter."""
    return np.asarray(lfilter([1 - abs(pole)], [1, -pole], noise))


def _level(wave: Array) -> Array:
    return np.asarray(wave / (np.abs(wave).max() + 1e-9))
