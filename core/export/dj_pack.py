"""The DJ pack: one ZIP that is unpacked onto a stick or a disk and opened by every DJ program.

Layout, from the root of the ZIP::

    README.txt  pack.json  relocate.py
    Music/                      tagged copies: tags, cover, Serato's grid and cues
    Stems/<track>/  STEM/       single stems, and .stem.mp4
    Covers/
    <playlist>.m3u8 .xspf .cue .csv  crate.json     relative paths
    _Serato_/                   relative to the root: right where the root is a stick's root
    rekordbox/  traktor/  itunes/  serato/          absolute paths, for the target folder

Everything that has to be made lies in a staging folder of the caller; originals and stems are read
where they are, so that the ZIP itself is streamed by `core.export.pack`.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.audio.disk import storage_errors
from core.errors import InvalidAudio, UnsupportedFormat
from core.export import location
from core.export.format import ExportOptions, target_folder
from core.export.location import Location
from core.export.model import Crate, CrateTrack, FileKind
from core.export.names import safe_name, unique_name
from core.export.pack import PackEntry
from core.export.pack_readme import write_readme
from core.export.registry import ExporterRegistry, export_crate
from core.export.track_tags import tag_copy

SCHEMA_VERSION = 1
_IMAGE_SUFFIXES = {"image/jpeg": "jpg", "image/png": "png"}


@dataclass(frozen=True, slots=True)
class TrackFiles:
    """Where the files of a track lie now.

    ``stems`` are by the name that they get in the pack, with suffix; ``stem_file`` is a
    ``.stem.mp4``. An audio file that is None or gone is warned of, and stays in the playlists.
    """

    audio: Path | None
    stems: Mapping[str, Path] = field(default_factory=dict)
    stem_file: Path | None = None


@dataclass(frozen=True, slots=True)
class StagedPack:
    """What goes into the ZIP (see `core.export.pack.open_pack`), and what to know about it.

    ``facts`` are the content of ``pack.json``: target, options, ``mp3_offset_ms``, warnings.
    """

    entries: tuple[PackEntry, ...]
    warnings: tuple[str, ...]
    facts: dict[str, Any]


def default_target(crate: Crate) -> Location:
    """Give the folder that absolute paths are written for where the user names none.

    It is on Windows, since ``relocate.py`` needs Python, which the other systems are likelier to
    have.
    """
    return target_folder(f"C:\\Stemcrate\\{safe_name(crate.name)}")


def stage_dj_pack(
    crate: Crate,
    files: Mapping[str, TrackFiles],
    staging: Path,
    options: ExportOptions,
    *,
    formats: tuple[str, ...] | None = None,
) -> StagedPack:
    """Make the files of a pack.

    Parameters
    ----------
    crate : its tracks' own paths don't matter; files get new, sanitised names.
    files : by track id; a track without an entry has no files.
    staging : an empty folder, of as much room as the audio needs; the caller removes it when the
        ZIP has been read.
    options : the target folder is `default_target` where none is named.
    formats : names of export formats; None takes all that are registered.

    Raises
    ------
    UnsupportedFormat : there is no format of a name.
    StorageFull : the disk has no room.
    """
    chosen = formats if formats is not None else ExporterRegistry.names()
    for name in chosen:
        ExporterRegistry.get(name)
    target = options.target or default_target(crate)
    options = replace(options, target=target)
    stage = _Staging(staging, options)
    crate = replace(crate, tracks=tuple(stage.add_tracks(crate, files)))
    for name in chosen:
        stage.add_export(name, crate)
    facts = stage.facts(chosen)
    stage.add_bytes("pack.json", (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode())
    stage.add_bytes("relocate.py", Path(location.__file__).read_bytes())
    stage.add_bytes("README.txt", write_readme(crate, target, chosen))
    return StagedPack(tuple(stage.entries), tuple(stage.warnings), facts)


def _suffix(track: CrateTrack) -> str:
    """Give the suffix that players expect; a file of no known kind keeps its own."""
    if track.file is FileKind.OTHER:
        return Path(safe_name(Path(track.path).name)).suffix
    return ".m4a" if track.file is FileKind.ALAC else f".{track.file}"


class _Staging:
    """Collects the entries of a pack."""

    def __init__(self, folder: Path, options: ExportOptions) -> None:
        self.entries: list[PackEntry] = []
        self.warnings: list[str] = []
        self._folder = folder
        self._options = options
        self._offsets: dict[str, dict[str, float]] = {}

    def add_tracks(self, crate: Crate, files: Mapping[str, TrackFiles]) -> Iterator[CrateTrack]:
        """Add every track's files; yield the tracks as they are in the pack."""
        taken: set[str] = set()
        for track in crate.tracks:
            label = unique_name(safe_name(track.label_text), taken)
            taken.add(label)
            yield self._add_track(track, label, files.get(track.id, TrackFiles(None)))

    def _add_track(self, track: CrateTrack, label: str, files: TrackFiles) -> CrateTrack:
        packed = replace(track, path=f"Music/{label}{_suffix(track)}", is_missing=True)
        if files.audio is not None and files.audio.is_file():
            size_bytes = self._add_audio(packed, files.audio)
            packed = replace(packed, is_missing=False, size_bytes=size_bytes)
        taken: set[str] = set()
        for name, stem in files.stems.items():
            stem_name = unique_name(safe_name(Path(name).stem), taken)
            taken.add(stem_name)
            self._add_file(f"Stems/{label}/{stem_name}{Path(name).suffix}", stem)
        if files.stem_file is not None:
            self._add_file(f"STEM/{label}.stem.mp4", files.stem_file)
        if track.cover is not None:
            suffix = _IMAGE_SUFFIXES[track.cover.mime]
            self.add_bytes(f"Covers/{label}.{suffix}", track.cover.data)
        return packed

    def _add_audio(self, track: CrateTrack, audio: Path) -> int:
        copy = self._folder / track.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        with storage_errors(copy):
            shutil.copyfile(audio, copy)
        try:
            tag_copy(copy, track, self._options)
        except (UnsupportedFormat, InvalidAudio) as error:
            self.warnings.append(f"'{track.label_text}' carries no tags: {error.message}")
        self.entries.append(PackEntry(track.path, copy))
        return copy.stat().st_size

    def _add_file(self, name: str, path: Path) -> None:
        if path.is_file():
            self.entries.append(PackEntry(name, path))
        else:
            self.warnings.append(f"'{name}' is not in the pack: its file has gone.")

    def add_export(self, name: str, crate: Crate) -> None:
        """Add a format, in the folder where its program looks for it."""
        options = self._options
        if name == "serato":
            # On a stick paths start at its root, whatever the target is called.
            self._write("", name, crate, replace(options, target=None))
            if options.target is None or not options.target.parts:
                return
        is_absolute = ExporterRegistry.get(name).needs_target or name == "serato"
        self._write(f"{name}/" if is_absolute else "", name, crate, options)

    def _write(self, folder: str, name: str, crate: Crate, options: ExportOptions) -> None:
        export = export_crate(crate, name, options)
        for file_name, data in export.files.items():
            self.add_bytes(f"{folder}{file_name}", data)
        self.warnings += [text for text in export.warnings if text not in self.warnings]
        if export.mp3_offset_ms:
            self._offsets[name] = dict(export.mp3_offset_ms)

    def add_bytes(self, name: str, data: bytes) -> None:
        """Write a file into the staging folder and enter it."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with storage_errors(path):
            path.write_bytes(data)
        self.entries.append(PackEntry(name, path))

    def facts(self, formats: tuple[str, ...]) -> dict[str, Any]:
        """Say how the pack was made."""
        target = self._options.target
        assert target is not None
        return {
            "schema_version": SCHEMA_VERSION,
            "target": target.native,
            "system": target.system,
            "formats": list(formats),
            "key_notation": self._options.key_notation,
            "mp3_offset_ms": self._offsets,
            "warnings": self.warnings,
        }
