"""Playlists: plan, reorder, delete, and export for DJ programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stemcrate.client.calls import Calls
from stemcrate.client.connection import made_for, path_of
from stemcrate.client.files import DownloadProgress, Target, fetch
from stemcrate.schemas.playlists import (
    PlaylistChange,
    PlaylistOrder,
    PlaylistPage,
    PlaylistRequest,
    PlaylistView,
    StemFormat,
    TargetSystem,
)

WARNINGS = "X-Stemcrate-Warnings"


@dataclass(frozen=True, slots=True)
class ExportedPlaylist:
    """An exported playlist, and what the format could not hold."""

    path: Path
    warnings: tuple[str, ...]


class PlaylistCalls(Calls):
    """Operations on playlists. Each one that takes an id raises ``playlist_not_found`` (404)."""

    def create_playlist(self, request: PlaylistRequest) -> PlaylistView:
        """Plan a set, or save the given order, and return it.

        ``relaxed`` lists the wishes that could not be met. Raises `ApiError`
        ``invalid_option`` (422) or ``track_not_found`` (404).
        """
        body = request.model_dump(mode="json", exclude_unset=True)
        return self._api.read("POST", "/playlists", PlaylistView, json=body)

    def list_playlists(self, *, limit: int = 50, cursor: str | None = None) -> PlaylistPage:
        """Return a page of playlists, newest first; ``limit`` is 1 to 200."""
        query = {"limit": limit, "cursor": cursor}
        return self._api.read("GET", "/playlists", PlaylistPage, query=query)

    def get_playlist(self, playlist_id: str) -> PlaylistView:
        """Return a playlist with its tracks and transitions, with reasons."""
        return self._api.read("GET", path_of("playlists", playlist_id), PlaylistView)

    def rename_playlist(
        self, playlist_id: str, name: str, *, version: str | None = None
    ) -> PlaylistView:
        """Rename a playlist. ``version`` is that of the playlist on the screen; None: any.

        Raises `ApiError` ``invalid_option`` (422) or ``playlist_changed`` (412).
        """
        body = PlaylistChange(name=name).model_dump(mode="json")
        path = path_of("playlists", playlist_id)
        return self._api.read("PATCH", path, PlaylistView, json=body, headers=made_for(version))

    def reorder_playlist(
        self, playlist_id: str, tracks: Sequence[str], *, version: str | None = None
    ) -> PlaylistView:
        """Reorder a playlist, and rate it anew; tracks may be added and removed.

        Parameters
        ----------
        tracks : ids, 1 to 10,000.
        version : of the playlist that the order was made for; None: any.

        Raises
        ------
        ApiError : 404 ``track_not_found``, 412 ``playlist_changed``.
        """
        body = PlaylistOrder(tracks=list(tracks)).model_dump(mode="json")
        path = path_of("playlists", playlist_id, "tracks")
        return self._api.read("PUT", path, PlaylistView, json=body, headers=made_for(version))

    def delete_playlist(self, playlist_id: str) -> None:
        """Delete a playlist; its tracks stay in the library."""
        self._api.tell("DELETE", path_of("playlists", playlist_id))

    def export_playlist(
        self,
        playlist_id: str,
        format: str,
        to: Target,
        *,
        target: str | None = None,
        system: TargetSystem | None = None,
        stem_format: StemFormat | None = None,
        progress: DownloadProgress | None = None,
    ) -> ExportedPlaylist:
        """Export a playlist for a DJ program to a file, or to a folder under the API's file name.

        Parameters
        ----------
        format : such as ``m3u8`` or ``rekordbox``; ``pack`` is one ZIP of everything, with audio
            and stems. Formats of several files come as a ZIP. ``exports`` of the playlist lists
            all formats.
        to : a file to write or replace, or an existing folder.
        target : folder of the audio, which some formats need.
        system : of that folder; None: the path tells.
        stem_format : of the STEM files in the pack.

        Raises
        ------
        ApiError : 404 ``artefact_not_found``, 422 ``invalid_option`` or ``unsupported_format``.
        ApiUnreachable : also if the connection is cut.
        OSError : the file cannot be written.
        """
        fetched = fetch(
            self._api,
            path_of("playlists", playlist_id, "export", format),
            to,
            query={"target": target, "system": system, "stem_format": stem_format},
            progress=progress,
        )
        return ExportedPlaylist(
            fetched.path, tuple(json.loads(fetched.headers.get(WARNINGS, "[]")))
        )
