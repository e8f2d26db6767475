"""Playlists of the library as files for DJ programs: the library's records become a crate.

Nothing is copied: the formats name the library's files, or files in the target
folder that the user chooses.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from core.errors import ArtefactNotFound
from core.export.facts import add_facts, find_kind, read_year
from core.export.format import Export, ExportOptions
from core.export.model import Crate, CratePlaylist, CrateTrack
from core.export.names import safe_name, unique_name
from core.export.registry import export_crate
from core.library.library import Library
from core.library.records.record import LibraryRecord, PlaylistRecord


def export_playlist(
    library: Library,
    playlist: PlaylistRecord,
    format: str,
    options: ExportOptions,
    *,
    by_name: bool,
) -> Export:
    """Write a playlist in a format.

    Tracks whose file has moved are written where they were, with a warning; tracks that are no
    longer in the library are left out, with a warning.

    Parameters
    ----------
    by_name : name tracks as files beside the export, or in its target folder, instead of by
        their paths on this machine.

    Raises
    ------
    UnsupportedFormat, InvalidOption : as `core.export.registry.export_crate`.
    ArtefactNotFound : no track of the playlist is left.
    """
    crate, warnings = make_crate(library, playlist, by_name=by_name)
    export = export_crate(crate, format, options)
    return Export(export.files, (*warnings, *export.warnings), export.mp3_offset_ms)


def make_crate(
    library: Library, playlist: PlaylistRecord, *, by_name: bool
) -> tuple[Crate, tuple[str, ...]]:
    """Collect a playlist's tracks and warn of missing ones. Raises `ArtefactNotFound`."""
    records = {i: library.find_corrected(i) for i in dict.fromkeys(playlist.track_ids)}
    tracks = tuple(make_track(record) for record in records.values() if record is not None)
    if by_name:
        tracks = _name_files(tracks, [record for record in records.values() if record is not None])
    if playlist.track_ids and not tracks:
        raise ArtefactNotFound(
            f"No track of '{playlist.name}' is in the library any more.",
            hint="Add the files again, or delete the playlist.",
        )
    ids = tuple(track_id for track_id in playlist.track_ids if records[track_id] is not None)
    warnings = tuple(
        f"Track {track_id[:12]} is no longer in the library and left out."
        for track_id, record in records.items()
        if record is None
    )
    return Crate(playlist.name, tracks, (CratePlaylist(playlist.name, ids),)), warnings


def make_track(record: LibraryRecord) -> CrateTrack:
    """Convert a library record, with its corrections, to an exporter's track."""
    path = next((f.path for f in record.files if Path(f.path).is_file()), None)
    known_path = path or next((file.path for file in record.files), f"/{record.name}")
    tags = record.tags
    duration_s = record.duration_s or 0.0
    track = CrateTrack(
        id=record.id,
        path=known_path,
        file=find_kind(record.container, record.codec),
        title=record.title,
        duration_s=duration_s,
        artist=record.artist,
        album=tags.album,
        genre=tags.genre,
        year=read_year(tags.year),
        isrc=tags.isrc,
        comment=tags.comment,
        track_number=tags.track_number,
        sample_rate=record.sample_rate or 44_100,
        n_channels=record.n_channels or 2,
        bit_rate=round(record.bytes * 8 / duration_s) if duration_s else None,
        bit_depth=record.bit_depth,
        size_bytes=record.bytes,
        sha256=record.id,
        added=record.added_at.date().isoformat(),
        is_missing=path is None,
    )
    return add_facts(track, record.facts)


def _name_files(
    tracks: Sequence[CrateTrack], records: Sequence[LibraryRecord]
) -> tuple[CrateTrack, ...]:
    """Assign every track's file a unique name that is safe on every system."""
    taken: set[str] = set()
    named = []
    for track, record in zip(tracks, records, strict=True):
        file = PurePath(record.name)
        name = unique_name(safe_name(file.stem), taken)
        taken.add(name)
        suffix = file.suffix.lower() if file.suffix[1:].isalnum() else f".{track.file.value}"
        named.append(replace(track, path=name + suffix))
    return tuple(named)
