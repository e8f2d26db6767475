"""CUE: a playlist as a cue sheet, one FILE and one TRACK per entry.

Conventions: UTF-8; a sheet ends at 99 tracks, so a longer playlist becomes several; a quotation
mark inside a text cannot be written and becomes an apostrophe; a file type that the format has no
word for is ``WAVE``, as players expect.

Reference: CDRWIN user's guide, appendix A (cue sheet commands).
"""

from collections.abc import Sequence

from core.export.format import Export, ExportFormat, ExportOptions, relative_path, warn_of_tracks
from core.export.formats.playlist_files import list_playlist_files
from core.export.model import Crate, CrateTrack, FileKind

MAX_TRACKS = 99
_TYPES = {FileKind.MP3: "MP3", FileKind.AIFF: "AIFF"}


def write_cue(crate: Crate, options: ExportOptions) -> Export:
    """Write one CUE sheet per playlist and 99 tracks: ``Set.cue``, ``Set (2).cue``, …."""
    files = {}
    for file_name, playlist in list_playlist_files(crate, ""):
        tracks = crate.in_order(playlist)
        for number, start in enumerate(range(0, len(tracks) or 1, MAX_TRACKS), start=1):
            suffix = f" ({number})" if number > 1 else ""
            sheet = _sheet(playlist.name, tracks[start : start + MAX_TRACKS], options)
            files[f"{file_name}{suffix}.cue"] = sheet
    return Export(files, warn_of_tracks(crate, options, needs_paths=False))


CUE = ExportFormat("cue", "CUE sheet", write_cue)


def _sheet(name: str, tracks: Sequence[CrateTrack], options: ExportOptions) -> bytes:
    lines = [f"TITLE {_quoted(name)}"]
    for number, track in enumerate(tracks, start=1):
        kind = _TYPES.get(track.file, "WAVE")
        lines.append(f"FILE {_quoted(relative_path(track, options))} {kind}")
        lines.append(f"  TRACK {number:02d} AUDIO")
        lines.append(f"    TITLE {_quoted(track.title)}")
        if track.artist:
            lines.append(f"    PERFORMER {_quoted(track.artist)}")
        if track.isrc:
            lines.append(f"    ISRC {track.isrc}")
        lines.append("    INDEX 01 00:00:00")
    return ("\r\n".join(lines) + "\r\n").encode(errors="ignore")


def _quoted(text: str) -> str:
    return '"' + " ".join(text.split()).replace('"', "'") + '"'
