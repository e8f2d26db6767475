"""Serato's own tags in audio files: beat grid, cues and loops, and tempo with gain.

Two layers: functions from values to the bytes of a tag, and `write_serato_tags`, which stores them
where Serato reads them: GEOB frames of ID3 in MP3, AIFF and WAV, Vorbis comments in FLAC, free-form
atoms in MP4. In FLAC and MP4 the bytes are base64 without padding in lines of 72;
the grid has one more character at its end, as in Serato's own files.

``Serato Markers_``, the older tag for cues, is removed: Serato would prefer it and show old cues.

Reference: Jan Holzhaus, "serato-tags" (documentation of the formats).
"""

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen  # noqa: TID251
from mutagen import aiff, flac, id3, mp3, mp4, wave  # noqa: TID251

from core.errors import InvalidAudio, UnsupportedFormat

BEAT_GRID = "Serato BeatGrid"
MARKERS = "Serato Markers2"
AUTOTAGS = "Serato Autotags"
_OLD_MARKERS = "Serato Markers_"

_MIME = "application/octet-stream"
_LINE = 72
_SMALLEST_MARKERS = 470  # bytes; Serato pads to it
_LOOP_COLOUR = b"\x00\x27\xaa\xe1"
_UNSET = b"\xff\xff\xff\xff"
_VORBIS_NAMES = {
    BEAT_GRID: "SERATO_BEATGRID",
    MARKERS: "SERATO_MARKERS_V2",
    AUTOTAGS: "SERATO_AUTOGAIN",
}
_MP4_NAMES = {
    BEAT_GRID: "----:com.serato.dj:beatgrid",
    MARKERS: "----:com.serato.dj:markersv2",
    AUTOTAGS: "----:com.serato.dj:autgain",
}
_OLD_MP4_MARKERS = "----:com.serato.dj:markers"


@dataclass(frozen=True, slots=True)
class SeratoCue:
    """A hot cue on a pad (0 … 7), or a loop where ``end_ms`` is set; ``rgb`` is three bytes."""

    pad: int
    start_ms: int
    name: str
    rgb: bytes
    end_ms: int | None = None


def beat_grid(segments: Sequence[tuple[float, float]], duration_s: float) -> bytes:
    """Return the content of ``Serato BeatGrid``.

    Parameters
    ----------
    segments : ascending pairs of the time of the first beat (s) and the tempo (BPM).
    duration_s : length of the recording; the last marker is on its last beat, since programs
        extend a grid only up to it.

    Returns
    -------
    The bytes; no segments give a grid without markers.
    """
    if not segments:
        return b"\x01\x00" + struct.pack(">I", 0) + b"\x00"
    markers = b""
    ends = [start for start, _ in segments[1:]]
    for (start_s, tempo_bpm), end_s in zip(segments, ends, strict=False):
        beats = max(1, round((end_s - start_s) * tempo_bpm / 60))
        markers += struct.pack(">fI", start_s, beats)
    start_s, tempo_bpm = segments[-1]
    rest = math.floor((duration_s - start_s) * tempo_bpm / 60 + 1e-6)
    if rest > 0:
        markers += struct.pack(">fI", start_s, rest)
        start_s += rest * 60 / tempo_bpm
    markers += struct.pack(">ff", start_s, tempo_bpm)
    return b"\x01\x00" + struct.pack(">I", len(markers) // 8) + markers + b"\x00"


def markers(cues: Sequence[SeratoCue]) -> bytes:
    """Return the content of ``Serato Markers2``; a name ends at its first NUL."""
    entries = b"".join(_marker(cue) for cue in cues)
    colour = _entry("COLOR", b"\x00\xff\xff\xff")
    lock = _entry("BPMLOCK", b"\x00")
    # Unpadded base64 in a field filled up with NULs.
    encoded = _encode(b"\x01\x01" + colour + entries + lock + b"\x00")
    return (b"\x01\x01" + encoded).ljust(_SMALLEST_MARKERS, b"\x00")


def autotags(tempo_bpm: float, gain_db: float | None) -> bytes:
    """Return the content of ``Serato Autotags``: tempo, measured gain, manual gain."""
    texts = (f"{tempo_bpm:.2f}", f"{gain_db or 0:.3f}", "0.000")
    return b"\x01\x01" + b"".join(text.encode("ascii") + b"\x00" for text in texts)


def write_serato_tags(path: Path, contents: Mapping[str, bytes], *, format: str) -> None:
    """Write tags into a finished file; its audio and its other tags are kept.

    Parameters
    ----------
    path : the file; its suffix is ignored.
    contents : by name: `BEAT_GRID`, `MARKERS`, `AUTOTAGS`; other tags are kept.
    format : one of ``mp3 aiff wav flac m4a alac``.

    Raises
    ------
    UnsupportedFormat : Serato does not read tags of the format.
    InvalidAudio : the file is not of that format.
    """
    writers = {
        "mp3": _write_mp3,
        "aiff": _write_aiff,
        "wav": _write_wav,
        "flac": _write_flac,
        "m4a": _write_mp4,
        "alac": _write_mp4,
    }
    if format not in writers:
        raise UnsupportedFormat(f"Serato does not read tags of '{format}' files.", field="format")
    try:
        writers[format](path, contents)
    except mutagen.MutagenError as error:
        raise InvalidAudio(f"{path.name} is not a valid {format} file.") from error


def _marker(cue: SeratoCue) -> bytes:
    head = struct.pack(">BBI", 0, cue.pad, cue.start_ms)
    name = cue.name.split("\0")[0].encode(errors="ignore") + b"\x00"
    if cue.end_ms is None:
        return _entry("CUE", head + b"\x00" + cue.rgb + b"\x00\x00" + name)
    end = struct.pack(">I", cue.end_ms)
    return _entry("LOOP", head + end + _UNSET + _LOOP_COLOUR + b"\x00\x00" + name)


def _entry(name: str, data: bytes) -> bytes:
    return name.encode("ascii") + b"\x00" + struct.pack(">I", len(data)) + data


def _encode(data: bytes) -> bytes:
    encoded = base64.b64encode(data).rstrip(b"=")
    return b"\n".join(encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE))


def _wrap(name: str, content: bytes) -> bytes:
    """Encode a content as text, for containers with text tags."""
    encoded = _encode(f"{_MIME}\0\0{name}\0".encode() + content)
    return encoded + b"A" if name == BEAT_GRID else encoded


def _fill_id3(file: Any, contents: Mapping[str, bytes]) -> None:
    if file.tags is None:
        file.add_tags()
    file.tags.delall(f"GEOB:{_OLD_MARKERS}")
    for name, content in contents.items():
        frame = id3.GEOB(
            encoding=id3.Encoding.LATIN1, mime=_MIME, filename="", desc=name, data=content
        )
        file.tags.setall(f"GEOB:{name}", [frame])
    file.tags.update_to_v23()
    file.save(v2_version=3)


def _write_mp3(path: Path, contents: Mapping[str, bytes]) -> None:
    _fill_id3(mp3.MP3(path), contents)


def _write_aiff(path: Path, contents: Mapping[str, bytes]) -> None:
    _fill_id3(aiff.AIFF(path), contents)


def _write_wav(path: Path, contents: Mapping[str, bytes]) -> None:
    _fill_id3(wave.WAVE(path), contents)


def _write_flac(path: Path, contents: Mapping[str, bytes]) -> None:
    file = flac.FLAC(path)
    if file.tags is None:
        file.add_tags()
    for name, content in contents.items():
        file.tags[_VORBIS_NAMES[name]] = [_wrap(name, content).decode("ascii")]
    file.save()


def _write_mp4(path: Path, contents: Mapping[str, bytes]) -> None:
    file = mp4.MP4(path)
    if file.tags is None:
        file.add_tags()
    file.tags.pop(_OLD_MP4_MARKERS, None)
    for name, content in contents.items():
        file.tags[_MP4_NAMES[name]] = [mp4.MP4FreeForm(_wrap(name, content))]
    file.save()
