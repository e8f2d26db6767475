"""Files of watched folders that have stopped growing.

The system tells of changes where it can. Folders are also listed from time to time: network shares
tell nothing, and an event may be lost.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from watchfiles import watch  # noqa: TID251

from core.library.intake.listing import AUDIO_SUFFIXES, list_files

STEP_MS = 500
LIST_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class FileState:
    """Size and time of the last change of a file."""

    n_bytes: int
    modified_ns: int


@dataclass(slots=True)
class _Pending:
    state: FileState
    since: float


class FolderWatch:
    """Finds files that have stopped growing. For one thread.

    Parameters
    ----------
    folders : with everything below them.
    without : folders in which nothing is looked for, such as that of the results.
    quiet_s : how long a file must be unchanged.
    is_known : whether a file was handled before, as it is.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        without: Sequence[Path],
        quiet_s: float,
        is_known: Callable[[Path, FileState], bool],
    ) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._without = [folder.resolve() for folder in without]
        self._quiet_s = quiet_s
        self._is_known = is_known
        self._pending: dict[Path, _Pending] = {}
        self._list_at = float("-inf")

    def rounds(self, stopping: Event) -> Iterator[list[Path]]:
        """Yield the files that are ready, twice a second, until ``stopping`` is set.

        A file is yielded again and again until `forget` is called, or it changes.
        """
        while not stopping.is_set():
            there = [folder for folder in self._folders if folder.is_dir()]
            if not there:
                yield []
                stopping.wait(LIST_EVERY_S)
                continue
            for changes in watch(
                *there,
                stop_event=stopping,
                step=100,
                rust_timeout=STEP_MS,
                yield_on_timeout=True,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                for _, path in changes:
                    self._note(Path(path))
                self._list()
                yield self._ready()
                if any(not folder.is_dir() for folder in there):
                    break  # it was moved, or its disk is gone

    def forget(self, path: Path) -> None:
        """Take note that a file was handled."""
        self._pending.pop(path, None)

    def _list(self) -> None:
        if time.monotonic() < self._list_at:
            return
        for path in list_files(self._folders).files:
            self._note(path)
        self._list_at = time.monotonic() + LIST_EVERY_S

    def _note(self, path: Path) -> None:
        is_audio = path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")
        if not is_audio or any(path.is_relative_to(folder) for folder in self._without):
            return
        state = look_at(path)
        if state is None:
            self._pending.pop(path, None)
        elif path not in self._pending and not self._is_known(path, state):
            self._pending[path] = _Pending(state, time.monotonic())

    def _ready(self) -> list[Path]:
        ready = []
        for path, pending in list(self._pending.items()):
            state = look_at(path)
            if state is None:
                del self._pending[path]
            elif state != pending.state:
                self._pending[path] = _Pending(state, time.monotonic())
            elif time.monotonic() - pending.since >= self._quiet_s:
                ready.append(path)
        return ready


def look_at(path: Path) -> FileState | None:
    """Return size and time of a regular file, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return FileState(found.st_size, found.st_mtime_ns) if path.is_file() else None
