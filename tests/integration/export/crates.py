"""A folder of real files in every container, and the crate that describes them."""

import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from core.audio.tagging.tags import Cover
from core.audio.writing.encode import Encoder, is_pcm
from core.export.format import ExportOptions
from core.export.model import (
    Colour,
    Crate,
    CrateFolder,
    CratePlaylist,
    CrateTrack,
    Cue,
    FileKind,
    GridMarker,
)
from core.export.track_tags import tag_copy

RATE = 44_100
DURATION_S = 12.0
CUE_S = 0.25
LOOP_S = (4.25, 8.25)
GREEN = Colour(0, 204, 0)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)

KINDS = {
    "mp3": FileKind.MP3,
    "flac": FileKind.FLAC,
    "wav": FileKind.WAV,
    "m4a": FileKind.M4A,
    "alac": FileKind.ALAC,
    "opus": FileKind.OPUS,
    "aiff": FileKind.AIFF,
    "ogg": FileKind.OGG,
}
TITLES = {
    "mp3": "Ünï & set",
    "flac": "日本語 <live>",
    "wav": "100% 'safe'",
    "m4a": "Emoji 😀; +1",
    "alac": "Plain",
    "opus": 'Quoted "title"',
    "aiff": "Größe",
    "ogg": "e\u0301tude",
}


def write_audio(path: Path, name: str) -> None:
    """Write seconds of clicks at 120 BPM in a container."""
    n_samples = int(DURATION_S * RATE)
    samples = np.zeros((2, n_samples), np.float32)
    for start in range(int(CUE_S * RATE), n_samples - 400, RATE // 2):
        samples[:, start : start + 400] = 0.5 * np.sin(np.arange(400) * 0.3)
    if name in ("aiff", "ogg"):
        subtype = "PCM_16" if name == "aiff" else "VORBIS"
        soundfile.write(path, samples.T, RATE, format=name.upper(), subtype=subtype)
        return
    with Encoder(path, format=name, bit_depth="16", sample_rate=RATE, n_channels=2) as encoder:
        if is_pcm(name, "16"):
            encoder.write_codes(np.rint(samples * 32767).astype(np.int32))
        else:
            encoder.write(samples)


def suffix(name: str) -> str:
    return "m4a" if name == "alac" else name


def make_track(name: str, number: int) -> CrateTrack:
    """Describe a file: each has a tempo and key of its own, and one has a grid of three parts."""
    tempo = 120.0 + number
    grid: tuple[GridMarker, ...] = (GridMarker(CUE_S, tempo, beat_in_bar=2),)
    if name == "flac":
        grid = (
            GridMarker(0.25, 128.0),
            GridMarker(0.25 + 8 * 60 / 128, 127.0),
            GridMarker(0.25 + 8 * 60 / 128 + 8 * 60 / 127, 128.5),
        )
        tempo = 127.83
    return CrateTrack(
        id=name,
        path=f"Music/{number:02d} Tra\u0308ck {name} % # & +.{suffix(name)}",
        file=KINDS[name],
        title=TITLES[name],
        artist="Åse & Øyvind",
        album="Album",
        genre="House",
        year=2021,
        isrc="USABC1234567",
        comment="Energy 7",
        duration_s=DURATION_S,
        sample_rate=RATE if name != "opus" else 48_000,
        bit_rate=320_000,
        size_bytes=123_456,
        added="2026-11-21",
        tempo_bpm=tempo,
        key=("A minor", "C major", "F# minor", "Db major")[number % 4],
        energy=7,
        grid=grid,
        cues=(
            Cue(CUE_S, "Intro", pad=0, colour=Colour(204, 0, 0)),
            Cue(2.25, "Dröp 😀", pad=1, colour=GREEN),
            Cue(1.0, "memory"),
            Cue(LOOP_S[0], "Loop", pad=2, end_s=LOOP_S[1]),
        ),
        integrated_loudness_lufs=-10.0,
        true_peak_dbtp=-1.0,
        vocals_s=((3.0, 5.5),),
        cover=Cover(PNG, "image/png"),
    )


def make_crate() -> Crate:
    """Eight tracks; a playlist in an order of its own, and one in a folder."""
    tracks = tuple(make_track(name, number) for number, name in enumerate(KINDS, start=1))
    ids = [track.id for track in tracks]
    return Crate(
        "Collection",
        tracks,
        playlists=(CratePlaylist("Dark Techno Set", tuple(reversed(ids))),),
        folders=(CrateFolder("Gigs", (CratePlaylist("Frïday", (ids[3], ids[0], ids[3 - 1])),)),),
    )


def write_files(root: Path, crate: Crate, options: ExportOptions) -> Crate:
    """Write the audio of a crate with its tags below ``root``; paths become those on disk."""
    located = []
    for track in crate.tracks:
        path = root / unicodedata.normalize("NFC", track.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_audio(path, track.id)
        tag_copy(path, track, options)
        located.append(replace(track, size_bytes=path.stat().st_size))
    return replace(crate, tracks=tuple(located))
