"""The exporters' interface: the one signature that every format shares."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from core.errors import InvalidOption
from core.export.location import MAX_PATH_CHARACTERS, Location, System, parse_location
from core.export.model import Crate, CrateTrack, KeyNotation
from core.export.mp3_offset import Program
from stemcrate.schemas.playlists import StemFormat

PACK = "pack"
"""Name of the DJ pack among the formats: audio and all, where the others are playlists alone."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Export options of the user.

    Parameters
    ----------
    target : folder that the files will be in; None uses relative paths where a format allows it.
    key_notation : how keys are written where a program takes text.
    mp3_offset_ms : milliseconds to add to times in MP3 files, by program; see
        `core.export.mp3_offset`.
    stem_format : of the STEM files in a DJ pack.
    """

    target: Location | None = None
    key_notation: KeyNotation = "short"
    mp3_offset_ms: Mapping[Program, float] = field(default_factory=dict)
    stem_format: StemFormat = StemFormat.ALAC_24


@dataclass(frozen=True, slots=True)
class Export:
    """The files of a format by name (POSIX, relative), and what the user should know."""

    files: Mapping[str, bytes]
    warnings: tuple[str, ...] = ()
    mp3_offset_ms: Mapping[str, float] = field(default_factory=dict)  # by track id, where not 0


Exporter: TypeAlias = Callable[[Crate, ExportOptions], Export]
"""A pure function: the same crate and options give the same bytes."""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format by its name.

    ``needs_target``: its files hold absolute paths, so that relative ones need a target folder.
    """

    name: str
    label: str
    write: Exporter
    needs_target: bool = False


def target_folder(path: str, system: System | None = None) -> Location:
    """Parse the user's target folder, for any system; it need not exist here.

    Raises
    ------
    InvalidOption : relative, going up, with control characters, or not of the system named.
    """
    try:
        return parse_location(path, system)
    except ValueError as error:
        raise InvalidOption(
            f"The target folder cannot be used: {error}.",
            hint="Give an absolute path, such as /Users/you/Music/Set or D:\\Music\\Set.",
            field="target",
        ) from error


def is_absolute(path: str) -> bool:
    """Return whether a path is absolute on any system."""
    return path.startswith(("/", "\\\\")) or path[1:3] in (":\\", ":/")


def locate(track: CrateTrack, options: ExportOptions) -> Location:
    """Return where a track's file will be.

    Raises
    ------
    InvalidOption : its path is relative and no target folder is named, or it is invalid.
    """
    if is_absolute(track.path):
        return target_folder(track.path)
    if options.target is None:
        raise InvalidOption(
            "This format stores absolute paths and needs the folder of the files.",
            hint="Name the target folder.",
            field="target",
        )
    return options.target.join(unicodedata.normalize("NFC", track.path))


def warn_of_tracks(crate: Crate, options: ExportOptions, *, needs_paths: bool) -> tuple[str, ...]:
    """List the tracks whose file is missing, or whose path is too long for a program."""
    warnings = [
        f"The file of '{track.label_text}' is not where it was: {track.path}"
        for track in crate.tracks
        if track.is_missing
    ]
    if needs_paths:
        warnings += [
            f"The path of '{track.label_text}' has {length} characters; rekordbox takes "
            f"{MAX_PATH_CHARACTERS}. Choose a shorter target folder."
            for track in crate.tracks
            if (length := len(locate(track, options).native)) > MAX_PATH_CHARACTERS
        ]
    return tuple(warnings)


def relative_path(track: CrateTrack, options: ExportOptions) -> str:
    """Return a track's path as a playlist in the target folder names it.

    Relative to the folder if the file is below it, else absolute in its system's notation.

    Raises
    ------
    InvalidOption : the track's path is invalid.
    """
    if not is_absolute(track.path):
        return unicodedata.normalize("NFC", track.path)
    location, target = target_folder(track.path), options.target
    if target is not None and location.volume == target.volume:
        depth = len(target.parts)
        if location.parts[:depth] == target.parts and len(location.parts) > depth:
            return "/".join(location.parts[depth:])
    return location.native
