"""M3U8: the playlist that every player and DJ program opens.

Conventions: UTF-8 without byte order mark, ``\\n``, one ``#EXTINF`` and one path per entry, paths
relative to the playlist itself with ``/``, raw rather than percent-encoded (mpv takes an encoded
path by the letter). Names that are safe in that form come from `core.export.names`.

Reference: RFC 8216, section 4 (the UTF-8 form of M3U and its ``#EXTM3U`` and ``#EXTINF`` lines).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.export.format import Export, ExportFormat, ExportOptions, relative_path, warn_of_tracks
from core.export.formats.playlist_files import list_playlist_files
from core.export.model import Crate


@dataclass(frozen=True, slots=True)
class M3U8Entry:
    """One line of a playlist.

    Parameters
    ----------
    path : POSIX path relative to the playlist's folder; see `write_m3u8` for others.
    title, artist : as people read them; an artist of None or "" is left out.
    duration_s : length in seconds; None, zero or less where it is unknown.
    """

    path: str
    title: str
    artist: str | None = None
    duration_s: float | None = None


def write_m3u8(entries: Sequence[M3U8Entry], name: str, *, is_portable: bool = True) -> bytes:
    """Write a playlist.

    Parameters
    ----------
    entries : in playing order; may be empty.
    name : the playlist's name, written as ``#PLAYLIST``.
    is_portable : paths must be relative; False accepts absolute paths of any system.

    Returns
    -------
    The bytes of the file.

    Raises
    ------
    ValueError : a path is empty, or holds a control character; where it has to be portable, also
        one that is absolute, leaves the folder or holds a backslash. None can be read back.
    """
    lines = ["#EXTM3U", f"#PLAYLIST:{_one_line(name)}"]
    for entry in entries:
        label = " - ".join(filter(None, map(_one_line, (entry.artist or "", entry.title))))
        path = _guard(entry.path, is_portable=is_portable)
        lines += [f"#EXTINF:{_seconds(entry.duration_s)},{label}", path]
    return ("\n".join(lines) + "\n").encode()


def write_crate_m3u8(crate: Crate, options: ExportOptions) -> Export:
    """Write one M3U8 per playlist; see `core.export.formats.playlist_files` for their names.

    A track below the target folder has a relative path, others an absolute one.
    """
    files = {}
    for file_name, playlist in list_playlist_files(crate, ".m3u8"):
        entries = [
            M3U8Entry(relative_path(track, options), track.title, track.artist, track.duration_s)
            for track in crate.in_order(playlist)
        ]
        files[file_name] = write_m3u8(entries, playlist.name, is_portable=False)
    return Export(files, warn_of_tracks(crate, options, needs_paths=False))


M3U8 = ExportFormat("m3u8", "M3U8 playlist", write_crate_m3u8)


def _seconds(duration_s: float | None) -> int:
    """Return whole seconds, at least one; -1 means unknown."""
    return max(1, round(duration_s)) if duration_s and duration_s > 0 else -1


def _one_line(text: str) -> str:
    spaced = " ".join(text.split())
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs"))


def _guard(path: str, *, is_portable: bool) -> str:
    """Check a path; prefix ``./`` to one that a player would take for a comment."""
    parts = PurePosixPath(path).parts
    has_control = any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in path)
    leaves = path.startswith("/") or ".." in parts or "\\" in path
    if not parts or has_control or (is_portable and leaves):
        raise ValueError(f"not a relative POSIX path of one line: {path!r}")
    return f"./{path}" if path[0] in "# " else path
