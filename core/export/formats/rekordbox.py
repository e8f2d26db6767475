"""rekordbox XML: collection, beat grids, cues and playlists in folders.

Conventions: locations are ``file://localhost/`` URIs, tempos have two decimals, positions three;
hot cues have ``Num`` 0 … 7, memory cues -1; type 0 is a cue, 4 a loop; a star counts 51. Keys are
spelled as rekordbox does unless another notation is chosen.

Reference: "rekordbox XML format list", Pioneer DJ developer page.
"""

from xml.etree.ElementTree import Element, SubElement

from core.export.format import Export, ExportFormat, ExportOptions, locate, warn_of_tracks
from core.export.formats.xml_text import attributes, document
from core.export.location import location_to_uri
from core.export.model import Crate, CrateFolder, CratePlaylist, CrateTrack, Cue
from core.export.mp3_offset import offset_ms

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_KINDS = {
    "mp3": "MP3 File",
    "wav": "WAV File",
    "aiff": "AIFF File",
    "flac": "FLAC File",
    "m4a": "M4A File",
    "alac": "M4A File",
    "ogg": "OGG File",
    "opus": "OPUS File",
    "other": "Unknown File",
}


def write_rekordbox(crate: Crate, options: ExportOptions) -> Export:
    """Write ``rekordbox.xml``.

    Raises
    ------
    InvalidOption : a track's path is relative and no target folder is named.
    """
    root = Element("DJ_PLAYLISTS", Version="1.0.0")
    SubElement(root, "PRODUCT", Name="Stemcrate", Version="1", Company="Stemcrate")
    collection = SubElement(root, "COLLECTION", Entries=str(len(crate.tracks)))
    numbers = {track.id: number for number, track in enumerate(crate.tracks, start=1)}
    offsets = {}
    for track in crate.tracks:
        offset = offset_ms(track, "rekordbox", options.mp3_offset_ms)
        if offset:
            offsets[track.id] = offset
        _add_track(collection, track, numbers[track.id], offset / 1000, options)
    playlists = SubElement(root, "PLAYLISTS")
    _add_folder(playlists, CrateFolder("ROOT", crate.playlists, crate.folders), numbers)
    warnings = warn_of_tracks(crate, options, needs_paths=True)
    return Export({"rekordbox.xml": document(root, declaration=_DECLARATION)}, warnings, offsets)


REKORDBOX = ExportFormat("rekordbox", "rekordbox XML", write_rekordbox, needs_target=True)


def _add_track(
    collection: Element, track: CrateTrack, number: int, shift_s: float, options: ExportOptions
) -> None:
    element = SubElement(
        collection,
        "TRACK",
        attributes(
            {
                "TrackID": number,
                "Name": track.title,
                "Artist": track.artist or "",
                "Album": track.album or "",
                "Genre": track.genre or "",
                "Kind": _KINDS[track.file],
                "Size": track.size_bytes,
                "TotalTime": round(track.duration_s),
                "TrackNumber": track.track_number,
                "Year": track.year,
                "AverageBpm": f"{track.tempo_bpm:.2f}" if track.tempo_bpm else None,
                "DateAdded": track.added,
                "BitRate": round(track.bit_rate / 1000) if track.bit_rate else None,
                "SampleRate": track.sample_rate,
                "Comments": track.comment or "",
                "Rating": None if track.rating is None else track.rating * 51,
                "Location": location_to_uri(locate(track, options), host="localhost"),
                "Tonality": track.key_text(options.key_notation),
                "Label": track.label,
            }
        ),
    )
    for segment in track.grid:
        SubElement(
            element,
            "TEMPO",
            Inizio=f"{max(0.0, segment.start_s + shift_s):.3f}",
            Bpm=f"{segment.tempo_bpm:.2f}",
            Metro=f"{segment.beats_per_bar}/4",
            Battito=str(segment.beat_in_bar),
        )
    for cue in track.cues:
        _add_cue(element, cue, shift_s)


def _add_cue(element: Element, cue: Cue, shift_s: float) -> None:
    colour = cue.shown_colour
    SubElement(
        element,
        "POSITION_MARK",
        attributes(
            {
                "Name": cue.name,
                "Type": 0 if cue.end_s is None else 4,
                "Start": f"{max(0.0, cue.start_s + shift_s):.3f}",
                "End": None if cue.end_s is None else f"{cue.end_s + shift_s:.3f}",
                "Num": -1 if cue.pad is None else cue.pad,
                "Red": colour.red,
                "Green": colour.green,
                "Blue": colour.blue,
            }
        ),
    )


def _add_folder(parent: Element, folder: CrateFolder, numbers: dict[str, int]) -> None:
    count = len(folder.playlists) + len(folder.folders)
    node = SubElement(parent, "NODE", attributes({"Type": 0, "Name": folder.name, "Count": count}))
    for inner in folder.folders:
        _add_folder(node, inner, numbers)
    for playlist in folder.playlists:
        _add_playlist(node, playlist, numbers)


def _add_playlist(parent: Element, playlist: CratePlaylist, numbers: dict[str, int]) -> None:
    node = SubElement(
        parent,
        "NODE",
        attributes(
            {
                "Name": playlist.name,
                "Type": 1,
                "KeyType": 0,
                "Entries": len(playlist.track_ids),
            }
        ),
    )
    for id in playlist.track_ids:
        SubElement(node, "TRACK", Key=str(numbers[id]))
