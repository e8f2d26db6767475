"""A playlist's DJ pack: its crate, and where the files of its tracks lie.

Loads encoders and tag writers; the API reaches it through `core.sets.pack_stream` alone.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath

from core.artifacts.store import JobStore
from core.export.dj_pack import DjPack, TrackFiles
from core.export.format import ExportOptions
from core.library.library import Library
from core.library.records.record import LibraryRecord, PlaylistRecord
from core.library.stems import find_separation, find_unchanged
from core.sets.exporting import make_crate
from core.sets.stem_files import make_stem_file
from stemcrate.schemas.playlists import StemFormat


def make_playlist_pack(
    library: Library, store: JobStore, playlist: PlaylistRecord, options: ExportOptions
) -> DjPack:
    """Gather the DJ pack of a playlist: tagged copies, stems of jobs, STEM files, playlists.

    Raises
    ------
    ArtefactNotFound : none of the tracks is left.
    """
    crate, warnings = make_crate(library, playlist, by_name=True)
    found = (library.find_record(track.id) for track in crate.tracks)
    records = [record for record in found if record is not None]
    files = {record.id: _find_files(store, record, options.stem_format) for record in records}
    covers = {record.id: library.read_cover(record) for record in records}
    tracks = tuple(replace(track, cover=covers.get(track.id)) for track in crate.tracks)
    return DjPack(replace(crate, tracks=tracks), files, options, warnings=warnings)


def _find_files(store: JobStore, record: LibraryRecord, stem_format: StemFormat) -> TrackFiles:
    """Find a track's audio, and the stems of the newest of its jobs that still exists."""
    file, found = find_unchanged(record, store), find_separation(store, record)
    audio = None if file is None else Path(file.path)
    if found is None:
        return TrackFiles(audio)
    stems = [a for a in found.track.artefacts if a.role == "stem"]
    paths = {a.name: store.fetch(store.artefact_path(found.job_id, a)) for a in stems}
    files = {f"{a.label}{PurePath(a.name).suffix}": paths[a.name] for a in stems}
    write_stem_file = partial(make_stem_file, stems, paths, stem_format=stem_format)
    return TrackFiles(audio, files, write_stem_file)
