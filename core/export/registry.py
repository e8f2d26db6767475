"""From a format's name to its exporter.

Formats of others register here or through the entry-point group ``stemcrate.exporters``::

    [project.entry-points."stemcrate.exporters"]
    my-format = "my_package.stemcrate:FORMAT"

where ``FORMAT`` is an `ExportFormat`: a name, a label and a pure function from the crate to bytes.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import ClassVar

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

ENTRY_POINT_GROUP = "stemcrate.exporters"

_BUILT_IN = {
    format.name: format
    for format in (M3U8, XSPF, CUE, CSV, JSON, REKORDBOX, TRAKTOR, SERATO, ITUNES)
}


class ExporterRegistry:
    """Finds exporters by name."""

    _registered: ClassVar[dict[str, ExportFormat]] = {}

    @classmethod
    def register(cls, format: ExportFormat) -> None:
        """Add a format. Raises ValueError where its name is taken."""
        if format.name in cls.names():
            raise ValueError(f"the export format '{format.name}' exists already")
        cls._registered[format.name] = format

    @classmethod
    def unregister(cls, name: str) -> None:
        """Take a format back that `register` added. Raises KeyError where there is none."""
        del cls._registered[name]

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """List the names that `get` takes, built-in ones first."""
        return tuple(dict.fromkeys([*_BUILT_IN, *cls._registered, *_plugins()]))

    @classmethod
    def get(cls, name: str) -> ExportFormat:
        """Find a format by its name.

        Raises
        ------
        UnsupportedFormat : no format has this name; the hint lists those that there are.
        """
        known = _BUILT_IN | cls._registered
        if name in known:
            return known[name]
        if plugin := _plugins().get(name):
            format: ExportFormat = plugin.load()
            return format
        raise UnsupportedFormat(
            f"There is no export format '{name}'.",
            hint=f"Choose one of {', '.join(cls.names())}.",
            field="format",
        )


def export_crate(crate: Crate, format: str, options: ExportOptions | None = None) -> Export:
    """Write a crate in a format.

    Raises
    ------
    UnsupportedFormat : no format has this name.
    InvalidOption : the format needs a target folder and none is named.
    """
    return ExporterRegistry.get(format).write(crate, options or ExportOptions())


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
