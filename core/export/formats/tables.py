"""CSV and JSON: the crate for spreadsheets and scripts.

Conventions: CSV is UTF-8 with a header, comma and CRLF (RFC 4180); a text that a spreadsheet would
run as a formula gets a leading apostrophe. JSON holds the whole model; unknown values are null.
"""

import csv
import io
import json
import math
from typing import Any

from core.export.format import Export, ExportFormat, ExportOptions, relative_path, warn_of_tracks
from core.export.formats.playlist_files import list_playlist_files
from core.export.model import Crate, CrateFolder, CratePlaylist, CrateTrack

SCHEMA_VERSION = 1

COLUMNS = (
    "position",
    "artist",
    "title",
    "album",
    "genre",
    "year",
    "duration_s",
    "tempo_bpm",
    "key",
    "camelot",
    "open_key",
    "energy",
    "rating",
    "integrated_loudness_lufs",
    "true_peak_dbtp",
    "isrc",
    "path",
    "sha256",
)


def write_csv(crate: Crate, options: ExportOptions) -> Export:
    """Write one CSV per playlist, one row per track in order; columns are `COLUMNS`."""
    files = {}
    for file_name, playlist in list_playlist_files(crate, ".csv"):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        for position, track in enumerate(crate.in_order(playlist), start=1):
            writer.writerow(_row(track, position, options))
        files[file_name] = text.getvalue().encode(errors="ignore")
    return Export(files, warn_of_tracks(crate, options, needs_paths=False))


def write_json(crate: Crate, options: ExportOptions) -> Export:
    """Write ``crate.json``: every track with grid, cues and vocals, and the playlists."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "name": crate.name,
        "tracks": [_track(track, options) for track in crate.tracks],
        **_contents(crate.playlists, crate.folders),
    }
    # Lone surrogates have no UTF-8 encoding; they are dropped, as in every export.
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    data = (text + "\n").encode(errors="ignore")
    return Export({"crate.json": data}, warn_of_tracks(crate, options, needs_paths=False))


CSV = ExportFormat("csv", "CSV table", write_csv)
JSON = ExportFormat("json", "JSON", write_json)


def _row(track: CrateTrack, position: int, options: ExportOptions) -> list[object]:
    row: list[object] = []
    for column in COLUMNS:
        if column == "position":
            row.append(position)
        elif column == "path":
            row.append(_plain(relative_path(track, options)))
        else:
            row.append(_plain(getattr(track, column)))
    return row


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3) if math.isfinite(value) else None
    if isinstance(value, str):
        text = " ".join(value.split())
        return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
    return value


def _finite(value: object) -> object:
    """Return None for non-finite values, which JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


_JSON_FIELDS = (
    *("id", "title", "artist", "album", "genre", "year", "isrc", "comment", "label"),
    *("track_number", "duration_s", "sample_rate", "n_channels", "bit_rate", "bit_depth"),
    *(
        "size_bytes",
        "sha256",
        "added",
        "tempo_bpm",
        "key",
        "camelot",
        "open_key",
        "energy",
        "rating",
    ),
    *("integrated_loudness_lufs", "true_peak_dbtp", "replaygain_db", "is_missing"),
)


def _track(track: CrateTrack, options: ExportOptions) -> dict[str, Any]:
    return {
        **{name: _finite(getattr(track, name)) for name in _JSON_FIELDS},
        "path": relative_path(track, options),
        "file": track.file.value,
        "grid": [
            {
                "start_s": segment.start_s,
                "tempo_bpm": segment.tempo_bpm,
                "beats_per_bar": segment.beats_per_bar,
                "beat_in_bar": segment.beat_in_bar,
            }
            for segment in track.grid
        ],
        "cues": [
            {
                "start_s": cue.start_s,
                "end_s": cue.end_s,
                "name": cue.name,
                "pad": cue.pad,
                "colour": "#{:02X}{:02X}{:02X}".format(*cue.shown_colour),
            }
            for cue in track.cues
        ],
        "vocals_s": [list(interval) for interval in track.vocals_s],
    }


def _contents(
    playlists: tuple[CratePlaylist, ...], folders: tuple[CrateFolder, ...]
) -> dict[str, Any]:
    return {
        "playlists": [
            {"name": playlist.name, "track_ids": list(playlist.track_ids)} for playlist in playlists
        ],
        "folders": [
            {"name": folder.name, **_contents(folder.playlists, folder.folders)}
            for folder in folders
        ],
    }
