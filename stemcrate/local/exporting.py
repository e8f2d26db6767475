"""Tracks written as playlists for DJ programs."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from core.errors import InvalidOption
from stemcrate.local.recording import FilePath, Tracks
from stemcrate.schemas.sets import SetDescription

if TYPE_CHECKING:
    from core.export.format import ExportOptions
    from core.export.model import Crate


def export(
    tracks: Tracks,
    format: str,
    to: FilePath,
    *,
    plan: SetDescription | None = None,
    name: str = "Stemcrate set",
    target: str | None = None,
) -> list[Path]:
    """Write tracks as a playlist for a DJ program, or as a pack.

    Parameters
    ----------
    tracks : facts by path. The files must exist; nothing but a pack copies them.
    format : ``rekordbox``, ``traktor``, ``serato``, ``itunes``, ``m3u8``, ``xspf``, ``cue``,
        ``csv``, ``json``, or that of a plug-in; ``pack`` is one ZIP with tagged copies and all of
        them.
    to : folder for the files; it is made, and files of the same name are replaced.
    plan : order of the tracks, as `plan_set` returns it; None for that of ``tracks``.
    name : of the playlist.
    target : folder that a pack will be unpacked into on the DJ's machine, such as
        ``/Users/you/Music/Set``.

    Returns
    -------
    The files that were written.

    Raises
    ------
    UnsupportedFormat : no format has this name.
    InvalidAudio : a file is not audio.
    InvalidOption : ``plan`` was made of other tracks, or ``target`` is not a folder.
    StorageFull : the disk is full.
    """
    from core.export.format import PACK, ExportOptions, target_folder
    from core.export.registry import export_crate
    from core.system.atomic import write_atomically

    folder = Path(to)
    crate = _make_crate(name, tracks, plan)
    options = ExportOptions(target=None if target is None else target_folder(target))
    folder.mkdir(parents=True, exist_ok=True)
    if format == PACK:
        return [_write_pack(crate, folder, options)]
    written = []
    for file_name, data in export_crate(crate, format, options).files.items():
        write_atomically(folder / file_name, data)
        written.append(folder / file_name)
    return written


def _make_crate(name: str, tracks: Tracks, plan: SetDescription | None) -> "Crate":
    from core.export.facts import describe_file
    from core.export.model import Crate, CratePlaylist

    paths = [Path(path) for path in tracks]
    facts = list(tracks.values())
    order = range(len(paths)) if plan is None else [track.index for track in plan.tracks]
    if not set(order) <= set(range(len(paths))):
        raise InvalidOption(
            f"The plan has more tracks than the {len(paths)} that are given.",
            hint="Export the tracks that the set was planned with.",
            field="plan",
        )
    described = tuple(describe_file(paths[i], facts[i], id=str(paths[i])) for i in order)
    ids = tuple(track.id for track in described)
    return Crate(name, described, (CratePlaylist(name, ids),))


def _write_pack(crate: "Crate", folder: Path, options: "ExportOptions") -> Path:
    from core.export.dj_pack import DjPack, TrackFiles
    from core.export.names import safe_name
    from core.export.pack import write_pack

    pack = DjPack(
        crate, {track.id: TrackFiles(Path(track.path)) for track in crate.tracks}, options
    )
    with TemporaryDirectory(dir=folder, prefix=".pack-") as staging:
        return write_pack(pack.entries(Path(staging)), folder / f"{safe_name(crate.name)}.zip")
