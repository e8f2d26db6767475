"""Locations of files on the DJ's machine, in each program's notation.

The target folder is named by the user ("where will you unpack this?") and need not exist here, so
every function works on text and for any system. Only the standard library is used: the DJ pack
carries this file as ``relocate.py``, which rewrites the absolute paths of an unpacked pack for the
folder that it is in.

Conventions: a POSIX path is ``/home/dj/Set``; a Windows path ``C:\\DJ\\Set`` or ``\\\\nas\\dj``. A
macOS volume other than the system's is under ``/Volumes``. Paths inside a folder are relative
POSIX paths.

References: RFC 8089 (the file URI scheme); RFC 3986, section 2.1 (percent-encoding).
"""

import json
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

System = Literal["linux", "macos", "windows"]
MAX_PATH_CHARACTERS = 255  # rekordbox refuses longer locations

_DRIVE = re.compile(r"([A-Za-z]):(?:[\\/]|$)")
_UNC = re.compile(r"[\\/]{2}([^\\/]+)[\\/]+([^\\/]+)")
_VOLUME = re.compile(r"/Volumes/([^/]+)(?=/|$)")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SAFE_IN_URI = "/-._~!$'()*,=:@"  # `# % & + ; ?` break imports and are encoded


@dataclass(frozen=True, slots=True)
class Location:
    """A parsed absolute path.

    ``volume`` is ``C:``, ``//host/share``, a macOS volume's name, or empty; ``parts`` are the
    folders and the file below it.
    """

    system: System
    volume: str
    parts: tuple[str, ...]

    def join(self, relative: str) -> "Location":
        """Append a relative POSIX path."""
        names = tuple(part for part in relative.split("/") if part not in ("", "."))
        return Location(self.system, self.volume, self.parts + names)

    @property
    def native(self) -> str:
        """The path in its system's notation."""
        if self.system == "windows":
            separator = "\\"
            return self.volume.replace("/", "\\") + separator + separator.join(self.parts)
        above = ("Volumes", self.volume) if self.volume else ()
        return "/" + "/".join((*above, *self.parts))


def parse_location(path: str, system: System | None = None) -> Location:
    """Parse an absolute path.

    Parameters
    ----------
    path : ``/Users/dj/Set``, ``/Volumes/STICK``, ``C:\\DJ\\Set``, ``C:/DJ``, ``\\\\nas\\dj\\Set``;
        ``.`` and doubled separators go, letters stay as they are: a name in NFD is another file
        than one in NFC, except on macOS.
    system : its system; None infers it: a drive or share is Windows, ``/Users`` and ``/Volumes``
        are macOS, all else is Linux.

    Raises
    ------
    ValueError : the path is relative, goes up with ``..``, holds a control character, or is not
        valid on the given system.
    """
    if _CONTROL.search(path):
        raise ValueError(f"{path!r} holds a control character")
    drive, unc = _DRIVE.match(path), _UNC.match(path)
    if drive or unc:
        if system not in (None, "windows"):
            raise ValueError(f"{path!r} is a Windows path, not one of {system}")
        match = drive or unc
        assert match is not None
        volume = f"{match[1].upper()}:" if drive else f"//{match[1]}/{match[2]}"
        return Location("windows", volume, _parts(path, re.split(r"[\\/]+", path[match.end() :])))
    if not path.startswith("/") or system == "windows":
        raise ValueError(f"{path!r} is no absolute path" + (f" of {system}" if system else ""))
    if system is None:
        system = "macos" if re.match(r"/(Users|Volumes)(/|$)", path) else "linux"
    mounted = _VOLUME.match(path) if system == "macos" else None
    rest = path[mounted.end() :] if mounted else path
    return Location(system, mounted[1] if mounted else "", _parts(path, rest.split("/")))


def location_to_uri(location: Location, *, host: str = "") -> str:
    """Write a ``file:`` URI in percent-encoded UTF-8.

    ``host`` is ``localhost`` for rekordbox and empty for iTunes (Mixxx takes ``localhost`` there
    for a folder). A share of Windows has its own host.
    """
    if location.volume.startswith("//"):
        path = "/".join((location.volume[2:], *location.parts))
        return "file://" + quote(path, safe=_SAFE_IN_URI)
    path = location.native.replace("\\", "/")
    return f"file://{host}/" + quote(path.lstrip("/"), safe=_SAFE_IN_URI)


def location_to_traktor(location: Location) -> tuple[str, str, str]:
    """Return Traktor's VOLUME, DIR (``/:DJ/:Set/:``) and FILE.

    The volume is the drive or share, the name of a mounted volume, ``Macintosh HD`` for macOS'
    own, and empty on Linux. A colon in a name is written ``//``.
    """
    volume = location.volume or ("Macintosh HD" if location.system == "macos" else "")
    names = [part.replace(":", "//") for part in location.parts]
    folders = "".join(f"{name}/:" for name in names[:-1])
    return volume, f"/:{folders}", names[-1] if names else ""


def location_to_serato(location: Location) -> str:
    """Return the path below the volume's root, with ``/`` between its parts and no leading one."""
    return "/".join(location.parts)


def _parts(path: str, names: list[str]) -> tuple[str, ...]:
    parts = tuple(name for name in names if name not in ("", "."))
    if ".." in parts:
        raise ValueError(f"{path!r} goes up with '..'")
    return parts


def relocate_text(text: str, old: Location, new: Location, *, host: str = "") -> str:
    """Move every path of a rekordbox, iTunes or Traktor file from one folder to another.

    Exact, as the exporters write every path of a pack below one folder and in one notation.
    ``host`` is that of the file's URIs, as for `location_to_uri`.
    """
    before, after = (
        _escape(location_to_uri(folder.join("x"), host=host))[:-1] for folder in (old, new)
    )
    text = text.replace(before, after)
    old_volume, old_dir, _ = map(_escape, location_to_traktor(old.join("x")))
    new_volume, new_dir, _ = map(_escape, location_to_traktor(new.join("x")))
    text = text.replace(f'KEY="{old_volume}{old_dir}', f'KEY="{new_volume}{new_dir}')
    text = text.replace(
        f'VOLUME="{old_volume}" VOLUMEID="{old_volume}"',
        f'VOLUME="{new_volume}" VOLUMEID="{new_volume}"',
    )
    return text.replace(f'DIR="{old_dir}', f'DIR="{new_dir}')


def _escape(text: str) -> str:
    """Escape text for an attribute or element."""
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )


def relocate_records(data: bytes, old: Location, new: Location) -> bytes:
    """Move every path of a Serato crate or database from one folder to another."""
    before, after = (location_to_serato(folder.join("x"))[:-1] for folder in (old, new))
    moved, at = b"", 0
    while at < len(data):
        name, length = struct.unpack_from(">4sI", data, at)
        content = data[at + 8 : at + 8 + length]
        if name == b"otrk":
            content = relocate_records(content, old, new)
        elif name in (b"pfil", b"ptrk"):
            path = content.decode("utf-16-be")
            content = (after + path.removeprefix(before)).encode("utf-16-be")
        moved += struct.pack(">4sI", name, len(content)) + content
        at += 8 + length
    return moved


# Files of the pack that hold absolute paths, with the host of their URIs.
_RELOCATED = {
    "rekordbox/rekordbox.xml": "localhost",
    "traktor/collection.nml": "",
    "itunes/iTunes Music Library.xml": "",
}


def relocate_pack(folder: Path, new: str | None = None) -> list[str]:
    """Rewrite an unpacked pack for ``new``, or for the folder that it is in.

    Returns the names of the rewritten files. Raises ValueError if the path is not absolute, and
    FileNotFoundError if ``folder`` is not an unpacked pack.
    """
    record = folder / "pack.json"
    facts = json.loads(record.read_text("utf-8"))
    old = parse_location(facts["target"], facts["system"])
    target = parse_location(new if new is not None else str(folder.resolve()))
    done = []
    for name, host in _RELOCATED.items():
        path = folder / name
        if path.is_file():
            text = relocate_text(path.read_bytes().decode(), old, target, host=host)
            path.write_bytes(text.encode())
            done.append(name)
    for path in sorted((folder / "serato").rglob("*")):
        if path.is_file():
            path.write_bytes(relocate_records(path.read_bytes(), old, target))
            done.append(path.relative_to(folder).as_posix())
    facts |= {"target": target.native, "system": target.system}
    record.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return done


def main() -> None:
    """Run as ``python relocate.py [folder]`` inside an unpacked pack."""
    here = Path(__file__).resolve().parent
    for name in relocate_pack(here, sys.argv[1] if len(sys.argv) > 1 else None):
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
