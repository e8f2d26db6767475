"""Expands a user's paths to audio files: folders, playlists, symbolic links."""

import codecs
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from core.errors import InvalidAudio, NotAudio, StemcrateError

_SUFFIXES = (
    ".aac .aif .aifc .aiff .alac .ape .caf .dsf .flac .m4a .m4b .mka .mp3 .mp4 .mpc .oga .ogg "
    ".opus .tta .w64 .wav .wma .wv"
)
AUDIO_SUFFIXES = frozenset(_SUFFIXES.split())
PLAYLIST_SUFFIXES = frozenset({".m3u8", ".m3u"})
_MAX_PLAYLIST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A path that could not be used, with its error."""

    path: str
    error: StemcrateError


@dataclass(frozen=True, slots=True)
class Listing:
    """The files found, each once, absolute and free of symbolic links."""

    files: tuple[Path, ...]
    refusals: tuple[Refusal, ...]


def list_files(paths: Iterable[Path], *, within: Path | None = None) -> Listing:
    """List the audio files of paths.

    A folder contributes the files below it with an audio suffix, without hidden ones; an
    M3U8 (or M3U) its entries; everything else itself, whatever its suffix. Symbolic links
    are followed; a file counts once however many lead to it; loops end. With ``within``, a folder
    without symbolic links, links that lead out of it are not followed.

    Returns
    -------
    Files in the order of the paths and, within a folder, of their names; what is missing or
    unreadable is among the refusals.
    """
    refusals: list[Refusal] = []
    found: dict[Path, None] = {}
    for path in paths:
        for file in _expand(path, refusals, within):
            if within is None or file.is_relative_to(within):
                found.setdefault(file)
    return Listing(tuple(found), tuple(refusals))


def _expand(path: Path, refusals: list[Refusal], within: Path | None) -> Iterator[Path]:
    if path.is_dir():
        yield from _walk(path, refusals, within)
    elif path.suffix.lower() in PLAYLIST_SUFFIXES and path.is_file():
        yield from _read_playlist(path, refusals)
    else:
        yield from _resolve(path, refusals)


def _walk(folder: Path, refusals: list[Refusal], within: Path | None) -> Iterator[Path]:
    """Walk a folder; each real folder once, as links may lead back up, and none outside."""
    seen: set[Path] = set()

    def refuse(error: OSError) -> None:
        refusals.append(Refusal(str(error.filename), _unreadable(str(error.filename), error)))

    for parent, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
        real = Path(parent).resolve()
        if real in seen or not (within is None or real.is_relative_to(within)):
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in AUDIO_SUFFIXES:
                yield from _resolve(Path(parent, name), refusals)


def _read_playlist(path: Path, refusals: list[Refusal]) -> Iterator[Path]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_PLAYLIST_BYTES)
    except OSError as error:
        refusals.append(Refusal(str(path), _unreadable(str(path), error)))
        return
    for line in decode_list(data).splitlines():
        entry = line.strip()
        if entry and not entry.startswith("#"):
            yield from _resolve_entry(entry, path, refusals)


def _resolve_entry(entry: str, playlist: Path, refusals: list[Refusal]) -> Iterator[Path]:
    if "://" in entry and not entry.lower().startswith("file://"):
        error = NotAudio(f"'{entry}' in {playlist.name} is an address, not a file.")
        refusals.append(Refusal(entry, error))
        return
    existing = find_listed(entry, playlist.parent)
    yield from _resolve(existing or playlist.parent / entry.replace("\0", ""), refusals)


def find_listed(entry: str, folder: Path) -> Path | None:
    """Find the file of an entry of a list in ``folder``; None if it is missing.

    As written, with Windows separators, or percent-encoded, in this order.
    """
    plain = entry
    if entry.lower().startswith("file://"):
        plain = "/" + entry[len("file://") :].partition("/")[2]
    spellings = [plain, plain.replace("\\", "/"), unquote(plain)]
    for spelling in spellings:
        with suppress(OSError, ValueError):  # too long for a name, or no name at all
            if (path := folder / spelling).is_file():
                return path
    return None


def _resolve(path: Path, refusals: list[Refusal]) -> Iterator[Path]:
    name = str(path)
    try:
        real = path.resolve(strict=True)
        str(real).encode()
    except UnicodeEncodeError:
        shown = name.encode(errors="replace").decode()
        error = InvalidAudio(f"The name of {shown} is not UTF-8.", hint="Rename the file.")
        refusals.append(Refusal(shown, error))
    except (OSError, RuntimeError, ValueError) as problem:  # missing, forbidden, a loop of links
        refusals.append(Refusal(name, _unreadable(name, problem)))
    else:
        if real.is_file():
            yield real
        else:
            refusals.append(Refusal(name, InvalidAudio(f"{name} is not a regular file.")))


def _unreadable(name: str, problem: Exception) -> StemcrateError:
    if isinstance(problem, FileNotFoundError):
        return InvalidAudio(f"{name} does not exist.", hint="Check the path; was it moved?")
    reason = getattr(problem, "strerror", None) or str(problem)
    return InvalidAudio(f"{name} cannot be read: {reason}.")


def decode_list(data: bytes) -> str:
    """Decode a playlist as UTF-8, or as UTF-16 with BOM, else as Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
