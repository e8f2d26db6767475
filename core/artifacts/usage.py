"""How much of the disk the folders of DATA_DIR take."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

FRESH_S = 60.0
BESIDE = "."


class DiskUsage:
    """Sizes of the folders below a data folder, measured at most once a minute.

    Safe to use from several threads: who asks meanwhile waits for one measurement.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._lock = threading.Lock()
        self._measured_at = float("-inf")
        self._sizes: dict[str, int] = {}

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each folder, and of the files beside them as ``.``, largest first."""
        with self._lock:
            if time.monotonic() - self._measured_at > FRESH_S:
                self._sizes = measure(self._data_dir)
                self._measured_at = time.monotonic()
            return dict(self._sizes)


def measure(data_dir: Path) -> dict[str, int]:
    """Measure the folders below ``data_dir``; links are not followed."""
    sizes = {BESIDE: 0}
    with os.scandir(data_dir) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                sizes[entry.name] = _size_below(entry.path)
            else:
                sizes[BESIDE] += _size(entry)
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def _size_below(folder: str) -> int:
    total = 0
    open_folders = [folder]
    while open_folders:
        with suppress(OSError), os.scandir(open_folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    open_folders.append(entry.path)
                else:
                    total += _size(entry)
    return total


def _size(entry: "os.DirEntry[str]") -> int:
    with suppress(FileNotFoundError):  # removed meanwhile
        return entry.stat(follow_symlinks=False).st_size
    return 0
