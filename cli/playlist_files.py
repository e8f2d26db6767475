"""Writes a playlist's files for DJ programs."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from config import storage_at
from core.artifacts.store import JobStore
from core.export.format import ExportOptions, target_folder
from core.export.names import safe_name
from core.export.pack import write_pack
from core.library.records.record import PlaylistRecord
from core.system.atomic import write_atomically
from stemcrate.schemas.playlists import StemFormat

if TYPE_CHECKING:
    from core.library.library import Library


@dataclass(frozen=True, slots=True)
class Delivery:
    """The wanted formats and their folder; None uses the installation's."""

    formats: tuple[str, ...]
    out_dir: Path | None
    target: str | None
    data_dir: Path | None
    stem_format: StemFormat = StemFormat.ALAC_24

    @property
    def store(self) -> JobStore:
        """The store of stems."""
        return JobStore(storage_at(self.data_dir))

    def folder(self, record: PlaylistRecord) -> Path:
        """Return the folder for the files."""
        return (self.out_dir or self.store.downloads / safe_name(record.name)).resolve()


def deliver(
    library: "Library", record: PlaylistRecord, delivery: Delivery
) -> tuple[dict[str, str], list[str]]:
    """Write the files of a playlist; return their paths by format, and warnings."""
    from core.export.format import PACK
    from core.sets.exporting import export_playlist

    folder, target = delivery.folder(record), delivery.target
    options = ExportOptions(
        target=None if target is None else target_folder(target), stem_format=delivery.stem_format
    )
    files: dict[str, str] = {}
    warnings: list[str] = []
    for format in delivery.formats:
        if format == PACK:
            path = folder / f"{safe_name(record.name)}.zip"
            warnings += _write_pack(library, record, delivery.store, path, options)
            files[format] = str(path)
            continue
        written = export_playlist(library, record, format, options, by_name=target is not None)
        for file_name, data in written.files.items():
            write_atomically(folder / file_name, data)
        # Several files (Serato's crates) are listed by their folder.
        single = next(iter(written.files)) if len(written.files) == 1 else ""
        files[format] = str(folder / single)
        warnings += written.warnings
    return files, warnings


def _write_pack(
    library: "Library", record: PlaylistRecord, store: JobStore, path: Path, options: ExportOptions
) -> list[str]:
    from core.sets.packing import make_playlist_pack

    pack = make_playlist_pack(library, store, record, options)
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=".pack-") as staging:
        write_pack(pack.entries(Path(staging)), path)
    return pack.warnings
