"""iTunes XML: the library file that Serato, Traktor, Engine and Mixxx import playlists from.

Conventions: a property list; locations are ``file:///`` URIs, since some readers take
``file://localhost/`` for a folder called localhost; lengths are milliseconds; tempo is a whole
number.
"""

import hashlib
import plistlib
from typing import Any

from core.export.format import Export, ExportFormat, ExportOptions, locate, warn_of_tracks
from core.export.formats.xml_text import xml_text
from core.export.location import location_to_uri
from core.export.model import Crate, CrateFolder, CrateTrack

_KINDS = {
    "mp3": "MPEG audio file",
    "wav": "WAV audio file",
    "aiff": "AIFF audio file",
    "flac": "FLAC audio file",
    "m4a": "AAC audio file",
    "alac": "Apple Lossless audio file",
    "ogg": "Ogg Vorbis audio file",
    "opus": "Opus audio file",
    "other": "Audio file",
}
FILE_NAME = "iTunes Music Library.xml"


def write_itunes(crate: Crate, options: ExportOptions) -> Export:
    """Write ``iTunes Music Library.xml``.

    Raises
    ------
    InvalidOption : a track's path is relative and no target folder is named.
    """
    numbers = {track.id: number for number, track in enumerate(crate.tracks, start=1)}
    playlists: list[dict[str, Any]] = [
        {
            "Master": True,
            "Visible": False,
            "Name": "Library",
            "Playlist ID": 1,
            "Playlist Persistent ID": _persistent("library"),
            "All Items": True,
            "Playlist Items": [{"Track ID": number} for number in numbers.values()],
        }
    ]
    _add_folder(playlists, CrateFolder("", crate.playlists, crate.folders), numbers, None)
    library = {
        "Major Version": 1,
        "Minor Version": 1,
        "Application Version": "12.0",
        "Library Persistent ID": _persistent(crate.name),
        "Tracks": {
            str(numbers[track.id]): _describe(track, numbers[track.id], options)
            for track in crate.tracks
        },
        "Playlists": playlists,
    }
    if options.target is not None:
        library["Music Folder"] = location_to_uri(options.target.join("x"))[:-1]
    data = plistlib.dumps(library, sort_keys=False)
    return Export({FILE_NAME: data}, warn_of_tracks(crate, options, needs_paths=True))


ITUNES = ExportFormat("itunes", "iTunes XML", write_itunes, needs_target=True)


def _describe(track: CrateTrack, number: int, options: ExportOptions) -> dict[str, Any]:
    values = {
        "Track ID": number,
        "Size": track.size_bytes,
        "Total Time": round(track.duration_s * 1000),
        "Track Number": track.track_number,
        "Year": track.year,
        "BPM": round(track.tempo_bpm) if track.tempo_bpm else None,
        "Bit Rate": round(track.bit_rate / 1000) if track.bit_rate else None,
        "Sample Rate": track.sample_rate,
        "Rating": None if track.rating is None else track.rating * 20,
        "Persistent ID": _persistent(track.id),
        "Track Type": "File",
        "Name": track.title,
        "Artist": track.artist,
        "Album": track.album,
        "Genre": track.genre,
        "Kind": _KINDS[track.file],
        "Comments": track.comment,
        "Location": location_to_uri(locate(track, options)),
    }
    return {
        name: xml_text(value) if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }


def _add_folder(
    playlists: list[dict[str, Any]],
    folder: CrateFolder,
    numbers: dict[str, int],
    parent: str | None,
) -> None:
    """Add what a folder holds, each entry naming the folder that it is in."""
    for inner in folder.folders:
        entry = _entry(inner.name, len(playlists) + 1, parent)
        entry["Folder"] = True
        playlists.append(entry)
        _add_folder(playlists, inner, numbers, entry["Playlist Persistent ID"])
    for playlist in folder.playlists:
        entry = _entry(playlist.name, len(playlists) + 1, parent)
        entry["Playlist Items"] = [{"Track ID": numbers[id]} for id in playlist.track_ids]
        playlists.append(entry)


def _entry(name: str, number: int, parent: str | None) -> dict[str, Any]:
    persistent = _persistent(f"{parent}/{number}/{name}")
    entry: dict[str, Any] = {
        "Name": xml_text(name),
        "Playlist ID": number,
        "Playlist Persistent ID": persistent,
        "All Items": True,
    }
    return entry if parent is None else entry | {"Parent Persistent ID": parent}


def _persistent(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16].upper()
