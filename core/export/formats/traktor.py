"""Traktor NML: collection, flexible beat grids, cues, loops and playlists in folders.

Conventions: positions are milliseconds; a grid marker is a cue of type 4 with a ``GRID`` of its
own, a loop type 5, a cue type 0; ``HOTCUE`` is the pad or -1. Keys are numbers: 0 C … 11 B,
12 C minor … 23 B minor. A playlist names a track by VOLUME + DIR + FILE. ``AUDIO_ID`` is left to
Traktor, which computes it.
"""

import hashlib
from xml.etree.ElementTree import Element, SubElement

from core.analysis.harmony.camelot import KEYS, key_of
from core.export.format import Export, ExportFormat, ExportOptions, locate, warn_of_tracks
from core.export.formats.xml_text import attributes, document
from core.export.location import location_to_traktor
from core.export.model import Crate, CrateFolder, CratePlaylist, CrateTrack
from core.export.mp3_offset import offset_ms

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>'
_CUE, _GRID, _LOOP = 0, 4, 5
_KEY_NUMBERS = {key_of(pitch, "major"): pitch for pitch in range(12)} | {
    key_of(pitch, "minor"): 12 + pitch for pitch in range(12)
}
assert set(_KEY_NUMBERS) == set(KEYS)


def write_traktor(crate: Crate, options: ExportOptions) -> Export:
    """Write ``collection.nml``.

    Raises
    ------
    InvalidOption : a track's path is relative and no target folder is named.
    """
    root = Element("NML", VERSION="19")
    SubElement(root, "HEAD", COMPANY="www.native-instruments.com", PROGRAM="Traktor")
    SubElement(root, "MUSICFOLDERS")
    collection = SubElement(root, "COLLECTION", ENTRIES=str(len(crate.tracks)))
    keys, offsets = {}, {}
    for track in crate.tracks:
        offset = offset_ms(track, "traktor", options.mp3_offset_ms)
        if offset:
            offsets[track.id] = offset
        keys[track.id] = _add_track(collection, track, offset, options)
    SubElement(root, "SETS", ENTRIES="0")
    playlists = SubElement(root, "PLAYLISTS")
    _add_folder(playlists, CrateFolder("$ROOT", crate.playlists, crate.folders), keys)
    warnings = warn_of_tracks(crate, options, needs_paths=True)
    return Export({"collection.nml": document(root, declaration=_DECLARATION)}, warnings, offsets)


TRAKTOR = ExportFormat("traktor", "Traktor NML", write_traktor, needs_target=True)


def _add_track(
    collection: Element, track: CrateTrack, offset: float, options: ExportOptions
) -> str:
    """Add an entry; return the key that playlists use."""
    volume, folder, file = location_to_traktor(locate(track, options))
    entry = SubElement(
        collection, "ENTRY", attributes({"TITLE": track.title, "ARTIST": track.artist})
    )
    SubElement(
        entry,
        "LOCATION",
        attributes({"DIR": folder, "FILE": file, "VOLUME": volume, "VOLUMEID": volume}),
    )
    if track.album:
        SubElement(entry, "ALBUM", attributes({"TRACK": track.track_number, "TITLE": track.album}))
    SubElement(entry, "INFO", attributes(_info(track, options)))
    if track.tempo_bpm:
        SubElement(entry, "TEMPO", BPM=f"{track.tempo_bpm:.6f}", BPM_QUALITY="100.000000")
    _add_loudness(entry, track)
    if track.key is not None:
        SubElement(entry, "MUSICAL_KEY", VALUE=str(_KEY_NUMBERS[track.key]))
    _add_cues(entry, track, offset)
    return volume + folder + file


def _info(track: CrateTrack, options: ExportOptions) -> dict[str, object]:
    year, month, day = (int(part) for part in (track.added or "2000-01-01").split("-"))
    return {
        "BITRATE": track.bit_rate,
        "GENRE": track.genre,
        "LABEL": track.label,
        "COMMENT": track.comment,
        "KEY": track.key_text(options.key_notation),
        "RANKING": None if track.rating is None else track.rating * 51,
        "PLAYTIME": round(track.duration_s),
        "PLAYTIME_FLOAT": f"{track.duration_s:.6f}",
        "IMPORT_DATE": f"{year}/{month}/{day}" if track.added else None,
        "RELEASE_DATE": f"{track.year}/1/1" if track.year else None,
        "FILESIZE": None if track.size_bytes is None else round(track.size_bytes / 1024),
    }


def _add_loudness(entry: Element, track: CrateTrack) -> None:
    if track.replaygain_db is None:
        return
    gain = f"{track.replaygain_db:.6f}"
    peak = track.true_peak_dbtp
    SubElement(
        entry,
        "LOUDNESS",
        attributes(
            {
                "PEAK_DB": None if peak is None else f"{peak:.6f}",
                "PERCEIVED_DB": gain,
                "ANALYZED_DB": gain,
            }
        ),
    )


def _add_cues(entry: Element, track: CrateTrack, offset: float) -> None:
    for index, segment in enumerate(track.grid):
        # Traktor counts bars from its markers.
        start_s = segment.start_s if index else segment.downbeat_s
        marker = _add_cue(entry, "AutoGrid", _GRID, start_s * 1000 + offset, 0.0, -1)
        SubElement(marker, "GRID", BPM=f"{segment.tempo_bpm:.6f}")
    for cue in track.cues:
        length = 0.0 if cue.end_s is None else (cue.end_s - cue.start_s) * 1000
        kind = _CUE if cue.end_s is None else _LOOP
        pad = -1 if cue.pad is None else cue.pad
        element = _add_cue(
            entry, cue.name or "n.n.", kind, cue.start_s * 1000 + offset, length, pad
        )
        if cue.colour is not None:
            element.set("COLOR", "#{:02X}{:02X}{:02X}".format(*cue.colour))


def _add_cue(
    entry: Element, name: str, kind: int, start_ms: float, length_ms: float, pad: int
) -> Element:
    return SubElement(
        entry,
        "CUE_V2",
        attributes(
            {
                "NAME": name,
                "DISPL_ORDER": 0,
                "TYPE": kind,
                "START": f"{max(0.0, start_ms):.6f}",
                "LEN": f"{length_ms:.6f}",
                "REPEATS": -1,
                "HOTCUE": pad,
            }
        ),
    )


def _add_folder(parent: Element, folder: CrateFolder, keys: dict[str, str]) -> None:
    node = SubElement(parent, "NODE", attributes({"TYPE": "FOLDER", "NAME": folder.name}))
    count = len(folder.folders) + len(folder.playlists)
    inside = SubElement(node, "SUBNODES", COUNT=str(count))
    for inner in folder.folders:
        _add_folder(inside, inner, keys)
    for playlist in folder.playlists:
        _add_playlist(inside, playlist, keys)


def _add_playlist(parent: Element, playlist: CratePlaylist, keys: dict[str, str]) -> None:
    node = SubElement(parent, "NODE", attributes({"TYPE": "PLAYLIST", "NAME": playlist.name}))
    named = "\n".join((playlist.name, *playlist.track_ids))
    uuid = hashlib.md5(named.encode(errors="replace"), usedforsecurity=False).hexdigest()
    entries = SubElement(
        node, "PLAYLIST", ENTRIES=str(len(playlist.track_ids)), TYPE="LIST", UUID=uuid
    )
    for id in playlist.track_ids:
        entry = SubElement(entries, "ENTRY")
        SubElement(entry, "PRIMARYKEY", attributes({"TYPE": "TRACK", "KEY": keys[id]}))
