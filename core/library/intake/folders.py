"""Folders on the server that may be added over REST (decision 19).

A path of the API is the name of an allowed folder, followed by names of folders below it. Nothing
else becomes a path of the file system, and no symbolic link leads out of the allowed folder.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import FolderNotFound
from core.library.intake.listing import AUDIO_SUFFIXES
from stemcrate.schemas.imports import ServerFolder, ServerFolders

_NOT_NAMES = frozenset({"", ".", ".."})


@dataclass(frozen=True, slots=True)
class FoundFolder:
    """A folder: the path that names it, where it is, and the allowed folder that it is below."""

    path: str
    folder: Path
    root: Path


class AllowedFolders:
    """The folders that may be added, with everything below them.

    Folders of the same name are told apart by a number: ``Music``, ``Music (2)``.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._roots: dict[str, Path] = {}
        for folder in folders:
            name = folder.resolve().name or "server"  # the root of the file system has no name
            n_same = sum(root == name or root.startswith(f"{name} (") for root in self._roots)
            self._roots[f"{name} ({n_same + 1})" if n_same else name] = folder

    def find(self, path: str) -> FoundFolder:
        """Return the folder that a path names. Raises `FolderNotFound`."""
        first, *names = path.split("/")
        root = self._roots.get(first)
        if root is None or not all(map(_is_name, names)):
            raise _not_found(path)
        try:
            real_root = root.resolve(strict=True)
            folder = real_root.joinpath(*names).resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:  # missing, forbidden, a loop of links
            raise _not_found(path) from error
        if not folder.is_dir() or not folder.is_relative_to(real_root):
            raise _not_found(path)
        return FoundFolder(path, folder, real_root)

    def list(self, path: str | None) -> ServerFolders:
        """List the folders in a folder, or with None the allowed ones. Raises `FolderNotFound`.

        Hidden folders, and links that lead out of the allowed folder, are left out.
        """
        if path is None:
            names = [name for name in self._roots if self._exists(name)]
            return ServerFolders(
                path=None, folders=[_named(name, name) for name in names], n_files=0
            )
        found = self.find(path)
        try:
            with os.scandir(found.folder) as entries:
                inside = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            raise _not_found(path) from error
        folders = [
            _named(f"{path}/{entry.name}", entry.name)
            for entry in sorted(inside, key=lambda entry: entry.name.casefold())
            if entry.is_dir() and self._exists(f"{path}/{entry.name}")
        ]
        n_files = sum(Path(e.name).suffix.lower() in AUDIO_SUFFIXES for e in inside if e.is_file())
        return ServerFolders(path=path, folders=folders, n_files=n_files)

    def _exists(self, path: str) -> bool:
        try:
            self.find(path)
        except FolderNotFound:
            return False
        return True


def _is_name(name: str) -> bool:
    if name in _NOT_NAMES or "\0" in name or os.sep in name:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:  # not UTF-8, and so not to be named in JSON
        return False
    return True


def _named(path: str, name: str) -> ServerFolder:
    return ServerFolder(path=path, name=name)


def _not_found(path: str) -> FolderNotFound:
    return FolderNotFound(
        f"There is no folder '{path[:200]}' that may be added.",
        hint="GET /library/folders lists the folders; LIBRARY_FOLDERS allows them.",
        field="path",
    )
