"""XSPF: the playlist of VLC and other open players.

Conventions: version 1; relative locations are percent-encoded URI references, absolute ones
``file:///`` URIs; durations are milliseconds.

Reference: "XSPF Version 1", Xiph.Org.
"""

from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

from core.export.format import (
    Export,
    ExportFormat,
    ExportOptions,
    is_absolute,
    relative_path,
    target_folder,
    warn_of_tracks,
)
from core.export.formats.playlist_files import list_playlist_files
from core.export.formats.xml_text import document, xml_text
from core.export.location import location_to_uri
from core.export.model import Crate, CratePlaylist, CrateTrack

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def write_xspf(crate: Crate, options: ExportOptions) -> Export:
    """Write one XSPF per playlist; see `core.export.formats.playlist_files` for their names."""
    files = {
        file_name: _playlist(crate, playlist, options)
        for file_name, playlist in list_playlist_files(crate, ".xspf")
    }
    return Export(files, warn_of_tracks(crate, options, needs_paths=False))


XSPF = ExportFormat("xspf", "XSPF playlist", write_xspf)


def _playlist(crate: Crate, playlist: CratePlaylist, options: ExportOptions) -> bytes:
    root = Element("playlist", version="1", xmlns="http://xspf.org/ns/0/")
    _add(root, "title", playlist.name)
    tracks = SubElement(root, "trackList")
    for track in crate.in_order(playlist):
        element = SubElement(tracks, "track")
        _add(element, "location", _uri(track, options))
        _add(element, "title", track.title)
        _add(element, "creator", track.artist)
        _add(element, "album", track.album)
        _add(element, "duration", str(round(track.duration_s * 1000)))
    return document(root, declaration=_DECLARATION)


def _uri(track: CrateTrack, options: ExportOptions) -> str:
    path = relative_path(track, options)
    if is_absolute(path):
        return location_to_uri(target_folder(path))
    # A colon is encoded too: in the first segment it would end the URI's scheme.
    return quote(path)


def _add(parent: Element, name: str, text: str | None) -> None:
    if text:
        SubElement(parent, name).text = xml_text(text)
