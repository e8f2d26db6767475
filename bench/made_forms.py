"""Made songs with a known form: sections with labels, and the layers that each of them plays.

Songs alternate verses and choruses; dance tracks build up, drop and break down. A section that
comes back has the same notes. Layers enter and leave with the sections, levels change with them,
drums fill the last bar of a phrase, noise rises through builds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.made_playing import play_bass, play_block, play_broken, play_melody, play_riff
from bench.made_scores import Note, Score, write_harmony
from bench.made_sounds import (
    DRUMS,
    FAMILIES,
    Timbre,
    draw_timbre,
    place_in_room,
    sound_drums,
    sound_notes,
)

RATE_HZ = 22050
BEATS_A_BAR = 4

_Array = NDArray[np.float64]
_Layers = Mapping[str, float]

_SONGS: Sequence[Sequence[tuple[str, int]]] = (
    (("intro", 4), ("verse", 8), ("chorus", 8), ("verse", 8), ("chorus", 8), ("bridge", 8),
     ("chorus", 8), ("outro", 4)),
    (("intro", 8), ("verse", 16), ("build", 4), ("chorus", 8), ("verse", 8), ("build", 4),
     ("chorus", 8), ("bridge", 8), ("chorus", 16)),
    (("verse", 8), ("chorus", 8), ("verse", 8), ("chorus", 8), ("break", 8), ("chorus", 8),
     ("outro", 8)),
    (("intro", 8), ("verse", 8), ("verse", 8), ("chorus", 8), ("break", 4), ("verse", 8),
     ("chorus", 8), ("chorus", 8), ("outro", 8)),
)  # fmt: skip
_TRACKS: Sequence[Sequence[tuple[str, int]]] = (
    (("intro", 16), ("build", 8), ("drop", 16), ("break", 16), ("build", 8), ("drop", 16),
     ("outro", 16)),
    (("intro", 8), ("body", 16), ("break", 8), ("build", 8), ("drop", 16), ("break", 8),
     ("build", 4), ("drop", 16), ("outro", 8)),
    (("intro", 16), ("body", 16), ("break", 16), ("drop", 32), ("outro", 16)),
    (("break", 8), ("build", 8), ("drop", 16), ("body", 16), ("break", 8), ("build", 8),
     ("drop", 16), ("outro", 16)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MadeSection:
    """A section from ``start_s`` to ``end_s``."""

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True, slots=True)
class MadeForm:
    """A song of a kind, mono at `RATE_HZ`, its sections, bars and sung passages."""

    kind: str
    mono: NDArray[np.float32]
    sections: tuple[MadeSection, ...]
    downbeats_s: tuple[float, ...]
    vocals_s: tuple[tuple[float, float], ...]


def make_form(seed: int) -> MadeForm:
    """Make the song of a seed: songs and dance tracks in turn."""
    rng = np.random.default_rng([seed, 17])
    kind = ("song", "track")[seed % 2]
    forms = (_SONGS, _TRACKS)[seed % 2]
    form = forms[int(rng.integers(len(forms)))]
    themes = _write_themes(rng, kind)
    layers = _arrange(rng, kind)
    beat_s = 60 / themes["verse"].tempo_bpm
    bar_s = BEATS_A_BAR * beat_s
    timbres = {
        layer: draw_timbre(rng, str(rng.choice(FAMILIES[:-1])))
        for layer in ("bass", "chords", "melody")
    }
    timbres["melody"] = draw_timbre(rng, "voice") if kind == "song" else timbres["melody"]
    kit = int(rng.integers(1 << 30))
    first_s = float(rng.uniform(0.05, 1.0))
    n_bars = sum(length for _, length in form)
    mono = np.zeros(int((first_s + n_bars * bar_s + 2) * RATE_HZ))
    sections, vocals_s = [], []
    start_s = first_s
    for label, length in form:
        end_s = start_s + length * bar_s
        playing = layers[label]
        theme = themes.get(label, themes["verse"])
        sound = _sound_section(
            rng, label, playing, theme, timbres, kit, beat_s=beat_s, length_s=end_s - start_s
        )
        first = round(start_s * RATE_HZ)
        mono[first : first + len(sound)] += sound[: len(mono) - first]
        sections.append(MadeSection(start_s, end_s, label))
        if kind == "song" and playing.get("melody"):
            vocals_s.append((start_s, end_s))
        start_s = end_s
    downbeats_s = first_s + bar_s * np.arange(n_bars)
    mono = place_in_room(rng, mono, RATE_HZ)
    return MadeForm(
        kind,
        mono.astype(np.float32),
        tuple(sections),
        tuple(float(time) for time in downbeats_s),
        tuple(vocals_s),
    )


def _write_themes(rng: np.random.Generator, kind: str) -> dict[str, Score]:
    """Write 16 bars for verse, chorus and bridge, in one key and tempo."""
    idiom = "pop" if kind == "song" else "dance"
    themes: dict[str, Score] = {}
    verse = write_harmony(rng, idiom, 60)
    for name in ("verse", "chorus", "bridge"):
        theme = verse
        while name != "verse" and (theme is verse or theme.key[1] != verse.key[1]):
            theme = write_harmony(rng, idiom, 60)
        if kind == "track" and name != "verse":
            theme = replace(verse, notes=[])
        theme = replace(_transpose(theme, verse), tempo_bpm=verse.tempo_bpm, notes=[])
        play_block(rng, theme)
        if rng.random() < 0.5:
            play_broken(rng, theme)
        play_bass(rng, theme)
        if kind == "track":
            play_riff(rng, theme)
        play_melody(rng, theme, centre=float(rng.uniform(62, 76)))
        themes[name] = theme
    themes["drop"] = themes["verse"] if kind == "track" else themes["chorus"]
    return themes


def _transpose(theme: Score, to: Score) -> Score:
    shift = to.key[0] - theme.key[0]
    chords = tuple(
        replace(
            chord,
            root=(chord.root + shift) % 12,
            bass=(chord.bass + shift) % 12,
            key=((chord.key[0] + shift) % 12, chord.key[1]),
        )
        for chord in theme.chords
    )
    return replace(theme, key=to.key, chords=chords)


def _arrange(rng: np.random.Generator, kind: str) -> dict[str, _Layers]:
    """Choose what plays in each kind of section, with its level."""
    quiet, loud = rng.uniform(0.5, 0.8), rng.uniform(1.0, 1.5)
    some = bool(rng.random() < 0.5)
    if kind == "song":
        return {
            "intro": {"chords": 0.8, **({"kick": 0.6, "hats": 0.6} if some else {})},
            "verse": {"kick": 0.8, "snare": 0.7, "hats": 0.6, "bass": 0.8, "chords": quiet * 0.8,
                      "melody": 0.8},
            "build": {"snare": 0.8, "hats": 0.8, "chords": quiet, "melody": 0.8, "rise": 0.5,
                      **({"bass": 0.6} if some else {})},
            "chorus": {"kick": loud, "snare": loud, "hats": loud, "bass": loud, "chords": loud,
                       "melody": loud},
            "bridge": {"chords": 0.9, "melody": 0.8, "bass": 0.7,
                       **({"hats": 0.6} if some else {})},
            "break": {"chords": 0.9, **({"melody": 0.7} if some else {})},
            "outro": {"chords": 0.8, **({"kick": 0.6, "hats": 0.6} if some else {})},
        }  # fmt: skip
    return {
        "intro": {"kick": 1.0, "hats": 0.8, **({"snare": 0.8} if some else {})},
        "body": {"kick": 1.0, "snare": 0.9, "hats": 0.9, "bass": 1.0, "chords": quiet * 0.5},
        "build": {"snare": 0.7, "chords": quiet, "rise": 1.0, **({"melody": 0.5} if some else {})},
        "drop": {"kick": loud, "snare": loud, "hats": loud, "bass": loud, "chords": loud * 0.8,
                 "melody": loud * 0.8},
        "break": {"chords": 0.9, **({"melody": 0.7} if some else {})},
        "outro": {"kick": 1.0, "hats": 0.8, **({"bass": 0.6} if some else {})},
    }  # fmt: skip


def _sound_section(
    rng: np.random.Generator,
    label: str,
    playing: _Layers,
    theme: Score,
    timbres: Mapping[str, Timbre],
    kit: int,
    *,
    beat_s: float,
    length_s: float,
) -> _Array:
    n_samples = int((length_s + 0.5) * RATE_HZ)
    sound = np.zeros(n_samples)
    for layer, timbre in timbres.items():
        if level := playing.get(layer):
            notes = [note for note in theme.notes if note.part == layer]
            part = sound_notes(
                np.random.default_rng(kit),
                timbre,
                _until(notes, length_s / beat_s),
                beat_s=beat_s,
                n_samples=n_samples,
                rate_hz=RATE_HZ,
                tuning=0.0,
            )
            sound += level * part / (np.sqrt(np.square(part).mean()) + 1e-9)
    n_heard = int(length_s * RATE_HZ)
    for drum in DRUMS:
        if level := playing.get(drum):
            part = sound_drums(
                np.random.default_rng(kit),
                beat_s=beat_s,
                n_samples=n_heard,
                rate_hz=RATE_HZ,
                parts=(drum,),
            )
            sound[:n_heard] += 1.5 * level * part / (np.abs(part).max() + 1e-9) * 2
    if level := playing.get("rise"):
        rise = np.linspace(0, 1, n_heard) ** 2
        noise = np.diff(rng.normal(size=n_heard), prepend=0)
        sound[:n_heard] += level * rise * noise
    if label in ("verse", "chorus", "drop", "body") and rng.random() < 0.5:
        fill = sound_drums(
            np.random.default_rng(kit + 1),
            beat_s=beat_s / 4,
            n_samples=int(2 * beat_s * RATE_HZ),
            rate_hz=RATE_HZ,
            parts=("snare",),
        )
        sound[n_heard - len(fill) : n_heard] += 2 * fill
    return sound


def _until(notes: Sequence[Note], n_beats: float) -> list[Note]:
    """Return the notes before a beat, cut there; shorter themes are repeated."""
    period = 4 * np.ceil(max(note.start + 1e-3 for note in notes) / 4) if notes else n_beats
    heard = []
    for turn in range(int(np.ceil(n_beats / period))):
        for note in notes:
            start = note.start + turn * period
            if start < n_beats:
                heard.append(replace(note, start=start, length=min(note.length, n_beats - start)))
    return heard
