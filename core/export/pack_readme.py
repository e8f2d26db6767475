"""The README of a DJ pack: how to import it into each program."""

from core.export.location import Location
from core.export.model import Crate

_PROGRAMS = {
    "rekordbox": """rekordbox
  Preferences > Advanced > Database > rekordbox xml: choose rekordbox/rekordbox.xml. Show
  "rekordbox xml" in the tree (Preferences > View > Layout), then right-click a playlist:
  Import Playlist. rekordbox does not update tracks that it knows already: remove them first, or
  import into a fresh playlist.""",
    "traktor": """Traktor
  Right-click Playlists > Import Playlist, and choose traktor/collection.nml; or put it into a fresh
  Traktor root folder under its name.""",
    "serato": """Serato
  Unpack this ZIP onto the root of a USB stick or disk: its _Serato_ folder then is the stick's own,
  and crates show when the stick is plugged in. If the stick has a _Serato_ folder already, copy
  only what lies in _Serato_/Subcrates. Grids, cues and loops are inside the files in Music.
  For the folder named above, use serato/_Serato_ instead: it belongs on the root of that drive,
  on the system's own drive into the Music folder of your user.""",
    "itunes": """iTunes, Music, Engine DJ and others that read iTunes libraries
  File > Library > Import Playlist: choose "itunes/iTunes Music Library.xml".""",
    "m3u8": """Mixxx, VLC, mpv, Engine DJ and any player
  Open the .m3u8 files; their paths are relative, so the folder can be anywhere. Mixxx reads the
  tags, and Serato's grids and cues, when it scans Music.""",
}
_STEMS = """Stems
  Stems holds single stems; the files in STEM are whole tracks with four stems for Traktor and
  Mixxx 2.6 or later. Other players play their mixture."""


def write_readme(crate: Crate, target: Location, formats: tuple[str, ...]) -> bytes:
    """Write ``README.txt`` for the pack's formats, with CRLF for Windows editors."""
    paragraphs = [
        crate.name,
        f"{len(crate.tracks)} tracks, {sum(1 for _ in crate.walk())} playlists.",
        "Files with absolute paths (rekordbox, Traktor, iTunes) are written for this folder; unpack"
        f"\nthe ZIP so that this file becomes\n\n  {target.join('README.txt').native}\n\n"
        "or, with Python 3 installed, unpack it anywhere and run:  python relocate.py",
        *(text for name, text in _PROGRAMS.items() if name in formats),
        _STEMS,
    ]
    missing = [track.label_text for track in crate.tracks if track.is_missing]
    if missing:
        names = "\n".join(f"  {name}" for name in missing)
        paragraphs.append(f"Not in this pack, as their files were not found:\n{names}")
    return ("\n\n".join(paragraphs) + "\n").replace("\n", "\r\n").encode(errors="ignore")
