"""Names of playlist files: one file per playlist."""

from collections.abc import Iterator

from core.export.model import Crate, CratePlaylist
from core.export.names import safe_name, unique_name


def list_playlist_files(crate: Crate, suffix: str) -> Iterator[tuple[str, CratePlaylist]]:
    """Yield file names and playlists.

    All are in one folder, since their paths are relative to it; a playlist in a folder is called
    ``Folder - Playlist``. A crate without playlists yields one of all its tracks in order.
    """
    playlists = list(crate.walk()) or [
        ((), CratePlaylist(crate.name, tuple(track.id for track in crate.tracks)))
    ]
    taken: set[str] = set()
    for folders, playlist in playlists:
        name = unique_name(safe_name(" - ".join((*folders, playlist.name))), taken)
        taken.add(name)
        yield f"{name}{suffix}", playlist
