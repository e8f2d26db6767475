"""The DJ pack: one ZIP, unpacked onto a stick or disk, that every DJ program opens.

Layout, from the root of the ZIP::

    README.txt  pack.json  relocate.py
    Music/                      tagged copies: tags, cover, Serato's grid and cues
    Stems/<track>/  STEM/       single stems, and .stem.mp4
    Covers/
    <playlist>.m3u8 .xspf .cue .csv  crate.json     relative paths
    _Serato_/                   relative to the root: right where the root is a stick's root
    rekordbox/  traktor/  itunes/  serato/          absolute paths, for the target folder

Originals and stems are read in place. Other files are made when their turn comes in the
ZIP that `core.export.pack` streams, in the caller's staging folder, and removed when the next file
is requested: tagging and STEM files take seconds per track, and space. Tracks come first, then
the files that list them.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import ArtefactNotFound, InvalidAudio, UnsupportedFormat
from core.export import location
from core.export.format import ExportOptions, target_folder, warn_of_tracks
from core.export.location import Location
from core.export.model import Crate, CrateTrack, FileKind
from core.export.names import safe_name, unique_name
from core.export.pack import PackEntry
from core.export.pack_readme import write_readme
from core.export.registry import EXPORTERS, export_crate, find_format
from core.export.track_tags import tag_copy
from core.system.disk import storage_errors

SCHEMA_VERSION = 1
_IMAGE_SUFFIXES = {"image/jpeg": "jpg", "image/png": "png"}


@dataclass(frozen=True, slots=True)
class TrackFiles:
    """Where the files of a track are.

    ``stems`` are by the name that they get in the pack, with suffix; ``write_stem_file`` makes the
    track's ``.stem.mp4`` at a path, and raises `ArtefactNotFound`, `InvalidAudio` or
    `UnsupportedFormat` where it cannot be. An audio file that is None or gone is warned of, and
    stays in the playlists.
    """

    audio: Path | None
    stems: Mapping[str, Path] = field(default_factory=dict)
    write_stem_file: Callable[[Path], None] | None = None


def default_target(crate: Crate) -> Location:
    """Return the folder for absolute paths if the user names none.

    It is a Windows folder, since ``relocate.py`` needs Python, which other systems are more likely
    to have.
    """
    return target_folder(f"C:\\Stemcrate\\{safe_name(crate.name)}")


def _suffix(track: CrateTrack) -> str:
    """Return the suffix that players expect; a file of unknown kind keeps its own."""
    if track.file is FileKind.OTHER:
        return Path(safe_name(Path(track.path).name)).suffix
    return ".m4a" if track.file is FileKind.ALAC else f".{track.file}"


class DjPack:
    """A DJ pack, made while it is read.

    Parameters
    ----------
    crate : its tracks' own paths don't matter; files get new, sanitised names.
    files : by track id; a track without an entry has no files.
    options : the target folder defaults to `default_target`.
    formats : names of export formats; None takes all that can be loaded.
    warnings : what is already known about the crate.

    Raises
    ------
    UnsupportedFormat : a format's name is unknown.
    """

    def __init__(
        self,
        crate: Crate,
        files: Mapping[str, TrackFiles],
        options: ExportOptions,
        *,
        formats: tuple[str, ...] | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self._formats = formats if formats is not None else tuple(EXPORTERS.available())
        for name in self._formats:
            find_format(name)
        self._target = options.target or default_target(crate)
        self._options = replace(options, target=self._target)
        self._files = files
        self._labels: dict[str, str] = {}
        self._crate = replace(crate, tracks=tuple(self._name(track) for track in crate.tracks))
        missing = warn_of_tracks(self._crate, self._options, needs_paths=False)
        self.warnings = [*warnings, *missing]
        """Sentences on what is amiss; complete once `entries` has ended, as in ``pack.json``."""
        self._offsets: dict[str, dict[str, float]] = {}

    def entries(self, staging: Path) -> Iterator[PackEntry]:
        """Make the files of the pack one by one; iterate once.

        Parameters
        ----------
        staging : a folder for files; each is removed when the next is requested.

        Raises
        ------
        StorageFull : the disk is too full for one of them.
        """
        for entry in self._make(staging):
            yield entry
            if entry.path.is_relative_to(staging):
                entry.path.unlink()

    def _make(self, staging: Path) -> Iterator[PackEntry]:
        tracks: list[CrateTrack] = []
        for track in self._crate.tracks:
            files = self._files.get(track.id, TrackFiles(None))
            if files.audio is not None and files.audio.is_file():
                entry = self._copy_audio(track, files.audio, staging)
                size_bytes = entry.path.stat().st_size
                tracks.append(replace(track, is_missing=False, size_bytes=size_bytes))
                yield entry
            else:
                tracks.append(replace(track, is_missing=True))
            yield from self._add_extras(track, files, staging)
        crate = replace(self._crate, tracks=tuple(tracks))
        for name in self._formats:
            for file_name, data in self._export(name, crate):
                yield _stage(staging, file_name, data)
        facts = json.dumps(self._facts(), ensure_ascii=False, indent=1) + "\n"
        yield _stage(staging, "pack.json", facts.encode())
        yield _stage(staging, "relocate.py", Path(location.__file__).read_bytes())
        yield _stage(staging, "README.txt", write_readme(crate, self._target, self._formats))

    def _name(self, track: CrateTrack) -> CrateTrack:
        """Set a track's path in the pack."""
        label = unique_name(safe_name(track.label_text), set(self._labels.values()))
        self._labels[track.id] = label
        audio = self._files.get(track.id, TrackFiles(None)).audio
        is_missing = audio is None or not audio.is_file()
        return replace(track, path=f"Music/{label}{_suffix(track)}", is_missing=is_missing)

    def _copy_audio(self, track: CrateTrack, audio: Path, staging: Path) -> PackEntry:
        copy = staging / track.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        with storage_errors(copy):
            shutil.copyfile(audio, copy)
        try:
            tag_copy(copy, track, self._options)
        except (UnsupportedFormat, InvalidAudio) as error:
            self.warnings.append(f"'{track.label_text}' carries no tags: {error.message}")
        return PackEntry(track.path, copy)

    def _add_extras(
        self, track: CrateTrack, files: TrackFiles, staging: Path
    ) -> Iterator[PackEntry]:
        """Add stems, STEM file and cover of a track."""
        label = self._labels[track.id]
        taken: set[str] = set()
        for name, stem in files.stems.items():
            stem_name = unique_name(safe_name(Path(name).stem), taken)
            taken.add(stem_name)
            name_in_zip = f"Stems/{label}/{stem_name}{Path(name).suffix}"
            if stem.is_file():
                yield PackEntry(name_in_zip, stem)
            else:
                self.warnings.append(
                    f"'{name_in_zip}' is not in the pack: its file no longer exists."
                )
        if files.write_stem_file is not None:
            stem_file = staging / f"STEM/{label}.stem.mp4"
            stem_file.parent.mkdir(parents=True, exist_ok=True)
            try:
                files.write_stem_file(stem_file)
            except (ArtefactNotFound, InvalidAudio, UnsupportedFormat) as error:
                self.warnings.append(f"'{track.title}' has no STEM file: {error.message}")
            else:
                yield PackEntry(f"STEM/{label}.stem.mp4", stem_file)
        if track.cover is not None:
            suffix = _IMAGE_SUFFIXES[track.cover.mime]
            yield _stage(staging, f"Covers/{label}.{suffix}", track.cover.data)

    def _export(self, name: str, crate: Crate) -> Iterator[tuple[str, bytes]]:
        """Write a format in the folder where its program looks for it."""
        options = self._options
        if name == "serato":
            # On a stick, paths start at its root, whatever the target is called.
            yield from self._write("", name, crate, replace(options, target=None))
            if not self._target.parts:
                return
        is_absolute = find_format(name).needs_target or name == "serato"
        yield from self._write(f"{name}/" if is_absolute else "", name, crate, options)

    def _write(
        self, folder: str, name: str, crate: Crate, options: ExportOptions
    ) -> Iterator[tuple[str, bytes]]:
        export = export_crate(crate, name, options)
        self.warnings += [text for text in export.warnings if text not in self.warnings]
        if export.mp3_offset_ms:
            self._offsets[name] = dict(export.mp3_offset_ms)
        for file_name, data in export.files.items():
            yield f"{folder}{file_name}", data

    def _facts(self) -> dict[str, Any]:
        """Describe how the pack was made."""
        return {
            "schema_version": SCHEMA_VERSION,
            "target": self._target.native,
            "system": self._target.system,
            "formats": list(self._formats),
            "key_notation": self._options.key_notation,
            "mp3_offset_ms": self._offsets,
            "warnings": self.warnings,
        }


def _stage(staging: Path, name: str, data: bytes) -> PackEntry:
    """Write a file into the staging folder."""
    path = staging / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with storage_errors(path):
        path.write_bytes(data)
    return PackEntry(name, path)
