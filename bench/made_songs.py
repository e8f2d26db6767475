"""Synthetic songs with known tempo, beats and bars, the training data of the rhythm analysis.

Every song has a random style (patterns of kick, snare and hats), tempo within the range of the
style, bass figure, repeated melody, chords that change on bar lines, and levels of its parts. A
dressed song draws from more styles and adds features that mislead a tempo estimator: an arpeggio
that repeats across the beat, echoes, fills, slow attacks, ducking and saturation. Seeded, and
without recordings.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 22050

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Style:
    """Drum patterns in steps of a bar; ``x`` always, ``o`` at times, ``.`` never."""

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
DRESSED_STYLES = (
    *STYLES,
    Style("half_time", (130, 175), "x.....o...o.....", "........x.......", "x.x.x.x.x.x.x.x."),
    Style("swing", (105, 190), "x..o..x..o..", "...o.o...o.o", "x..x.xx..x.x"),
    Style("march", (85, 165), "x.......x.......", "....x..o....x.oo", "....x.......x..."),
    Style("one_drop", (120, 165), "........x.......", "........x..o...o", "..x...x...x...x."),
    Style("sparse", (75, 150), "x.........o.....", "....o.......x...", "................"),
    Style("electro", (100, 140), "x.....x...x.....", "....x.......x...", "x.xxx.xxx.xxx.xx"),
    Style("fast_core", (160, 215), "x...x...x...x...", "..o...o...o...o.", "..x...x...x...x."),
    Style("ballad", (62, 90), "x......ox.o.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    Style("two_step", (126, 142), "x.........x.....", "....x.......x...", "..xo..x...xo..x."),
)


@dataclass(frozen=True, slots=True)
class Dress:
    """Additions to a song's style; zeros disable them.

    Parameters
    ----------
    arpeggio : pitches in semitones over the root, one every ``arpeggio_every`` steps.
    arpeggio_level : its amplitude.
    fill_bars : period, in bars, of snare fills over the second half of a bar.
    rise_s : attack of the melody.
    echo_steps, echo_level : delay in steps and amplitude of the echo of melody and arpeggio.
    ducking : attenuation of the notes on the beat, 0 to 1.
    drive : gain into saturation.
    """

    arpeggio: tuple[int, ...] = ()
    arpeggio_every: int = 1
    arpeggio_level: float = 0.0
    fill_bars: int = 0
    rise_s: float = 0.003
    echo_steps: int = 3
    echo_level: float = 0.0
    ducking: float = 0.0
    drive: float = 0.0


@dataclass(frozen=True, slots=True)
class MadeSong:
    """A song, mono at `RATE_HZ`, with its ground truth."""

    style: str
    mono: NDArray[np.float32]
    tempo_bpm: float
    first_downbeat_s: float
    beats_per_bar: int


def make_song(seed: int, duration_s: float = 24.0, *, is_dressed: bool = False) -> MadeSong:
    """Make the song of a seed, 24 s long by default."""
    rng = np.random.default_rng(seed)
    styles = DRESSED_STYLES if is_dressed else STYLES
    style = styles[seed % len(styles)]
    dress = _draw_dress(np.random.default_rng([seed, 1])) if is_dressed else Dress()
    tempo_bpm = float(np.exp(rng.uniform(*np.log(style.tempo_bpm))))
    steps = len(style.kick)
    step_s = 60 / tempo_bpm * style.beats / steps
    first_s = float(rng.uniform(0, steps * step_s))
    drums, notes, lead = np.zeros((3, int((duration_s + 2) * RATE_HZ)))
    n_bars = int((duration_s - first_s) / (steps * step_s)) + 2
    swing = rng.choice([0.0, 0.0, 0.15, 0.3]) if steps == 16 else 0.0
    late_s = rng.choice([0.0, 0.003, 0.008])
    times = first_s + (np.arange(-steps, n_bars * steps)) * step_s
    times = times + swing * step_s * (np.arange(len(times)) % 2)
    times = times + rng.normal(scale=1e-9 + late_s, size=len(times))
    _play_drums(rng, drums, style, times, dress)
    _play_notes(rng, notes, lead, style, times, step_s, dress)
    _echo(lead, dress, step_s)
    mono = drums + _duck(notes + lead, dress, first_s, 60 / tempo_bpm)
    mono = mono[: int(duration_s * RATE_HZ)]
    if dress.drive:
        mono = np.tanh(dress.drive * mono / np.abs(mono).max())
    mono += rng.normal(scale=10 ** rng.uniform(-5, -2.5), size=len(mono)) * np.abs(mono).max()
    mono *= 0.5 / np.abs(mono).max()
    return MadeSong(style.name, mono.astype(np.float32), tempo_bpm, first_s, style.beats)


def _draw_dress(rng: np.random.Generator) -> Dress:
    return Dress(
        # An arpeggio of three sixteenths coincides with the beat only at common multiples.
        arpeggio=tuple(rng.choice([0, 4, 7, 12, 16], size=rng.choice([3, 4, 4, 5, 6, 8, 8]))),
        arpeggio_every=int(rng.choice([1, 1, 2, 3])),
        arpeggio_level=float(rng.choice([0, 0, 1]) * rng.uniform(0.05, 0.4)),
        fill_bars=int(rng.choice([0, 4, 8])),
        rise_s=float(rng.choice([0.003, 0.003, 0.015, 0.04])),
        echo_steps=int(rng.choice([2, 3, 3, 4])),
        echo_level=float(rng.choice([0, 0, 1]) * rng.uniform(0.3, 0.7)),
        ducking=float(rng.choice([0, 0, 0, 0, 1]) * rng.uniform(0.3, 0.9)),
        drive=float(rng.uniform(0.2, 4)),
    )


def _play_drums(
    rng: np.random.Generator, mono: _Array, style: Style, times: _Array, dress: Dress
) -> None:
    kits = (
        (style.kick, _kick(rng), rng.uniform(0.4, 1.2)),
        (style.snare, _snare(rng), rng.uniform(0.3, 1.0)),
        (style.hats, _hat(rng), rng.uniform(0.03, 0.35)),
    )
    # The bars of a pair may differ, and a part may be silent for some bars.
    for pattern, sound, level in kits:
        steps = len(pattern)
        shown = rng.random(2 * steps) < 0.35
        silent_from = rng.integers(0, len(times)) if rng.random() < 0.3 else len(times)
        for index, time_s in enumerate(times):
            mark = pattern[index % steps]
            if pattern is style.snare and _is_fill(dress, index, steps):
                mark = "x" if rng.random() < 0.5 else "."
            if silent_from <= index < silent_from + 4 * steps or mark == ".":
                continue
            if mark == "o" and not shown[index % (2 * steps)]:
                continue
            accent = 0.7 if mark == "o" else 1.0
            _add(mono, time_s, sound, level * accent * rng.uniform(0.8, 1.1))


def _is_fill(dress: Dress, index: int, steps: int) -> bool:
    """Check whether a step is in the second half of a bar with a fill."""
    is_filled = dress.fill_bars > 0 and index // steps % dress.fill_bars == dress.fill_bars - 1
    return is_filled and index % steps >= steps // 2


def _play_notes(
    rng: np.random.Generator,
    mono: _Array,
    lead: _Array,
    style: Style,
    times: _Array,
    step_s: float,
    dress: Dress,
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
            tone = _tone(64 + root + int(tune[place]), 0.4, decay, 6, dress.rise_s)
            _add(lead, time_s, tone, levels[1])
        if dress.arpeggio_level and index % dress.arpeggio_every == 0:
            note = dress.arpeggio[index // dress.arpeggio_every % len(dress.arpeggio)]
            _add(lead, time_s, _tone(60 + root + note, 0.2, 12.0, 6), dress.arpeggio_level)
        if index % max(1, round(steps * bars_a_chord)) == 0:
            length_s = steps * step_s * bars_a_chord
            for third in (0, 4, 7):
                _add(mono, time_s, _tone(52 + root + third, length_s, 0.3, 5, 0.03), levels[2])


def _echo(lead: _Array, dress: Dress, step_s: float) -> None:
    delay = round(dress.echo_steps * step_s * RATE_HZ)
    dry = lead.copy()
    for turn in range(1, 4):
        lead[turn * delay :] += dress.echo_level**turn * dry[: len(dry) - turn * delay]


def _duck(notes: _Array, dress: Dress, first_s: float, beat_s: float) -> _Array:
    """Lower the notes on every beat, as a compressor keyed by the kick does."""
    since_s = (np.arange(len(notes)) / RATE_HZ - first_s) % beat_s
    return np.asarray(notes * (1 - dress.ducking * np.exp(-8 * since_s)))


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
