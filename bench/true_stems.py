"""Songs with known stems: folders, the project's own songs, and one from a package.

Two layouts of folders are supported, with any format of `core.audio.reading.decode` in place of
WAV:

    train|test/<song>/{mixture,drums,bass,other,vocals}.wav    MUSDB18-HQ
    <song>/<stem>.wav                                          a simple one, with or without mixture
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from cli.demo_songs import DEMO_SONGS, SAMPLE_RATE, synthesise_stems
from core.audio.buffer import Samples
from core.audio.reading.decode import read_through
from core.audio.reading.tracks import decode_tracks
from core.errors import InvalidAudio

STEM_FILE_TRACKS = ("drums", "bass", "other", "vocals")  # after the mixture, in NI Stem files
_MIXTURE = "mixture"
_SUFFIXES = {".wav", ".flac", ".aif", ".aiff", ".mp3", ".ogg", ".m4a"}


@dataclass(frozen=True, slots=True)
class Song:
    """A song; all samples float32 of one shape ``(n_channels, n_samples)``."""

    name: str
    sample_rate: int
    mixture: Samples
    stems: dict[str, Samples]


def read_songs(folder: Path) -> Iterator[Song]:
    """Read a folder of songs, one at a time.

    Raises
    ------
    ValueError : no song was found, or the files of one differ in rate or channels.
    InvalidAudio : a file cannot be decoded.
    """
    homes = sorted({file.parent for file in folder.rglob("*") if _is_stem(file)})
    if not homes:
        raise ValueError(f"{folder} contains no song folder with a file for each stem")
    for home in homes:
        yield _read_song(home, home.relative_to(folder).as_posix())


def demo_songs() -> Iterator[Song]:
    """Yield the project's synthesised songs; a synthesiser's lead stands for the vocals."""
    for song in DEMO_SONGS:
        yield _sum_up(song.title, SAMPLE_RATE, synthesise_stems(song))


def falcon() -> Song | None:
    """Return 6 s of "Falcon 69" by The Easton Ellises (CC BY-NC-SA 3.0), from the stempeg package.

    None if it is not installed. The file's mixture is mastered, so the sum is used instead.
    """
    spec = find_spec("stempeg")
    for root in (spec.submodule_search_locations if spec else None) or ():
        for file in Path(root).glob("data/*.stem.mp4"):
            tracks = decode_tracks(file)[1:]
            stems = dict(zip(STEM_FILE_TRACKS, (t.samples for t in tracks), strict=True))
            return _sum_up("Falcon 69", tracks[0].sample_rate, stems)
    return None


def _is_stem(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in _SUFFIXES and file.stem != _MIXTURE


def _read_song(home: Path, name: str) -> Song:
    files = sorted(file for file in home.iterdir() if file.suffix.lower() in _SUFFIXES)
    read = {file.stem: _read(file) for file in files}
    rates = {rate for rate, _ in read.values()}
    if len(rates) > 1 or len({len(samples) for _, samples in read.values()}) > 1:
        raise ValueError(f"the files of {name} differ in sample rate or channels")
    # Lossy files of one song differ by a few samples at the end.
    length = min(samples.shape[1] for _, samples in read.values())
    cut = {stem: samples[:, :length] for stem, (_, samples) in read.items()}
    mixture = cut.pop(_MIXTURE, None)
    if not cut:
        raise InvalidAudio(f"{name} has no true stems.")
    song = _sum_up(name, rates.pop(), cut)
    return song if mixture is None else Song(name, song.sample_rate, mixture, cut)


def _sum_up(name: str, sample_rate: int, stems: dict[str, Samples]) -> Song:
    mixture = np.sum([stem.astype(np.float64) for stem in stems.values()], axis=0)
    return Song(name, sample_rate, mixture.astype(np.float32), stems)


def _read(file: Path) -> tuple[int, Samples]:
    def take(rate: int, n_channels: int, blocks: Iterator[Samples]) -> tuple[int, Samples]:
        empty = np.zeros((n_channels, 0), dtype=np.float32)
        return rate, np.concatenate([empty, *blocks], axis=1)

    return read_through(file, take)[1]
