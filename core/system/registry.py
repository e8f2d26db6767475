"""Registries of named items that built-in modules and installed packages provide.

A package adds to a registry through the entry-point group that the registry is named after::

    [project.entry-points."stemcrate.exporters"]
    my-format = "my_package.stemcrate:FORMAT"

Listing names runs none of the package's code; `Registry.get` imports it.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from core.errors import PluginFailed

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Registry(Generic[T]):
    """Items by name: those that were registered, then those of installed packages.

    Parameters
    ----------
    group : the entry-point group.
    accepts : whether what an entry point names is an item of this registry.
    items : the built-in items, registered first.
    """

    def __init__(
        self,
        group: str,
        accepts: Callable[[str, object], bool],
        items: Iterable[tuple[str, T]] = (),
    ) -> None:
        self.group = group
        self._accepts = accepts
        self._items = dict(items)
        self._loaded: dict[EntryPoint, T] = {}
        self._failures: dict[EntryPoint, PluginFailed] = {}

    def register(self, name: str, item: T) -> None:
        """Add an item. Raises ValueError if the name is taken."""
        if name in self:
            raise ValueError(f"the name '{name}' in {self.group} is taken")
        self._items[name] = item

    def unregister(self, name: str) -> None:
        """Remove an item that `register` added. Raises KeyError if there is no such name."""
        del self._items[name]

    def names(self) -> tuple[str, ...]:
        """List the names: registered items in their order, then those of installed packages."""
        return (*self._items, *self.plugins())

    def plugins(self) -> tuple[str, ...]:
        """List the names that installed packages add; their code is not run."""
        return tuple(point.name for point in self._points())

    def __contains__(self, name: object) -> bool:
        return name in self._items or name in self.plugins()

    def get(self, name: str) -> T:
        """Return an item.

        Raises
        ------
        KeyError : there is no such name.
        PluginFailed : the package that provides it cannot be imported, or provides something else.
        """
        if name in self._items:
            return self._items[name]
        for point in self._points():
            if point.name == name:
                return self._load(point)
        raise KeyError(name)

    def available(self) -> dict[str, T]:
        """Return all items by name; a package that cannot be loaded is left out."""
        items: dict[str, T] = {}
        for name in self.names():
            try:
                items[name] = self.get(name)
            except PluginFailed:
                continue  # `get` has logged it
        return items

    def _points(self) -> Iterator[EntryPoint]:
        seen = set(self._items)
        for point in entry_points(group=self.group):
            if point.name not in seen:
                seen.add(point.name)
                yield point

    def _load(self, point: EntryPoint) -> T:
        """Import an item once; a failure is logged once, and told to everybody who asks."""
        if point in self._failures:
            raise self._failures[point]
        if point not in self._loaded:
            try:
                item = point.load()
            except Exception as error:  # third-party code may raise anything
                raise self._fail(point, f"{type(error).__name__}: {error}") from error
            if not self._accepts(point.name, item):
                raise self._fail(point, f"{point.value} does not fit {self.group}")
            self._loaded[point] = item
        return self._loaded[point]

    def _fail(self, point: EntryPoint, reason: str) -> PluginFailed:
        package = point.dist.name if point.dist is not None else point.module
        error = PluginFailed(
            f"The plug-in '{point.name}' of '{package}' cannot be loaded: {reason}.",
            hint=f"Update or remove the package '{package}'.",
        )
        logger.error("%s", error)
        self._failures[point] = error
        return error
