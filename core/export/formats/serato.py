"""Serato: crates in order and ``database V2``, the files of the ``_Serato_`` folder.

Conventions: records of a four-letter name, a big-endian length and data; texts are UTF-16BE. Paths
are relative to the root of the volume, with ``/`` and none in front, so that a folder whose root is
a stick's root needs no target. A crate in a folder is named ``Folder%%Crate``. A crate holds paths
alone and programs look the tracks up in the database, so both are written.

Reference: Jan Holzhaus, "serato-tags" (documentation of the formats).
"""

import struct
import unicodedata

from core.export.format import (
    Export,
    ExportFormat,
    ExportOptions,
    is_absolute,
    locate,
    warn_of_tracks,
)
from core.export.location import location_to_serato
from core.export.model import Crate, CrateTrack
from core.export.mp3_offset import offset_ms
from core.export.names import safe_name, unique_name

FOLDER = "_Serato_"
_FOLDER_SEPARATOR = "%%"


def write_serato(crate: Crate, options: ExportOptions) -> Export:
    """Write ``_Serato_/database V2`` and one crate per playlist.

    With a target folder, paths are those below its volume's root, and the ``_Serato_`` folder
    belongs on that root (on the system's volume into the user's Music folder); without one, the
    root of the export is the root of the volume.
    """
    paths = {track.id: _path(track, options) for track in crate.tracks}
    database = _text("vrsn", "2.0/Serato Scratch LIVE Database") + b"".join(
        _record("otrk", _describe(track, paths[track.id], options)) for track in crate.tracks
    )
    files = {f"{FOLDER}/database V2": database}
    taken: set[str] = set()
    for folders, playlist in crate.walk():
        names = [safe_name(name).replace(_FOLDER_SEPARATOR, "%") for name in folders]
        name = _FOLDER_SEPARATOR.join(
            (*names, safe_name(playlist.name).replace(_FOLDER_SEPARATOR, "%"))
        )
        name = unique_name(name, taken)
        taken.add(name)
        files[f"{FOLDER}/Subcrates/{name}.crate"] = _crate([paths[id] for id in playlist.track_ids])
    offsets = {
        track.id: offset
        for track in crate.tracks
        if (offset := offset_ms(track, "serato", options.mp3_offset_ms))
    }
    return Export(files, warn_of_tracks(crate, options, needs_paths=False), offsets)


SERATO = ExportFormat("serato", "Serato crates and database", write_serato)


def _path(track: CrateTrack, options: ExportOptions) -> str:
    if options.target is None and not is_absolute(track.path):
        return unicodedata.normalize("NFC", track.path)
    return location_to_serato(locate(track, options))


def _crate(paths: list[str]) -> bytes:
    head = _text("vrsn", "1.0/Serato ScratchLive Crate")
    return head + b"".join(_record("otrk", _text("ptrk", path)) for path in paths)


def _describe(track: CrateTrack, path: str, options: ExportOptions) -> bytes:
    minutes, seconds = divmod(round(track.duration_s), 60)
    texts = {
        "ttyp": path.rsplit(".", 1)[-1].lower(),
        "pfil": path,
        "tsng": track.title,
        "tart": track.artist,
        "talb": track.album,
        "tgen": track.genre,
        "tlbl": track.label,
        "tcom": track.comment,
        "ttyr": str(track.year) if track.year else None,
        "tlen": f"{minutes:02d}:{seconds:02d}.00",
        "tsiz": _size(track.size_bytes),
        "tbit": f"{round(track.bit_rate / 1000)}.0kbps" if track.bit_rate else None,
        "tsmp": f"{track.sample_rate / 1000:.1f}k",
        "tbpm": f"{track.tempo_bpm:.2f}" if track.tempo_bpm else None,
        "tkey": track.key_text(options.key_notation),
    }
    missing = _record("bmis", b"\x01") if track.is_missing else b""
    return b"".join(_text(name, text) for name, text in texts.items() if text) + missing


def _size(size_bytes: int | None) -> str | None:
    return None if size_bytes is None else f"{size_bytes / 2**20:.1f}MB"


def _record(name: str, data: bytes) -> bytes:
    return name.encode("ascii") + struct.pack(">I", len(data)) + data


def _text(name: str, text: str) -> bytes:
    kept = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))
    return _record(name, kept.encode("utf-16-be"))
