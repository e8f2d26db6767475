"""Registry of export formats; packages add theirs (`stemcrate.plugins`)."""

from core.errors import UnsupportedFormat
from core.export.format import Export, ExportFormat, ExportOptions
from core.export.formats.cue_sheet import CUE
from core.export.formats.itunes import ITUNES
from core.export.formats.m3u8 import M3U8
from core.export.formats.rekordbox import REKORDBOX
from core.export.formats.serato import SERATO
from core.export.formats.tables import CSV, JSON
from core.export.formats.traktor import TRAKTOR
from core.export.formats.xspf import XSPF
from core.export.model import Crate
from core.system.registry import Registry

EXPORTERS: Registry[ExportFormat] = Registry(
    "stemcrate.exporters",
    lambda name, item: isinstance(item, ExportFormat) and item.name == name,
    (
        (format.name, format)
        for format in (M3U8, XSPF, CUE, CSV, JSON, REKORDBOX, TRAKTOR, SERATO, ITUNES)
    ),
)


def find_format(name: str) -> ExportFormat:
    """Find a format by its name.

    Raises
    ------
    UnsupportedFormat : no format has this name; the hint lists those that exist.
    PluginFailed : the package that provides it cannot be loaded.
    """
    try:
        return EXPORTERS.get(name)
    except KeyError:
        raise UnsupportedFormat(
            f"There is no export format '{name}'.",
            hint=f"Choose one of {', '.join(EXPORTERS.names())}.",
            field="format",
        ) from None


def export_crate(crate: Crate, format: str, options: ExportOptions | None = None) -> Export:
    """Write a crate in a format.

    Raises
    ------
    UnsupportedFormat : no format has this name.
    InvalidOption : the format needs a target folder and none is named.
    """
    return find_format(format).write(crate, options or ExportOptions())
