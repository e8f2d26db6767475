"""A small disk that can be filled to its last page."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PAGE = bytes(4096)


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A file system of its own."""

    folder: Path

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self) -> int:
        """Leave no page free; return the bytes that were."""
        n_bytes = 0
        with self._filler.open("ab", buffering=0) as file:
            try:
                while True:
                    n_bytes += file.write(PAGE)
            except OSError:
                return n_bytes

    def free(self) -> None:
        """Give back what `fill` took."""
        self._filler.unlink()


@contextmanager
def small_disk(folder: Path, n_bytes: int) -> Iterator[SmallDisk]:
    """Mount an empty disk at a new folder while the block runs.

    Raises
    ------
    FileNotFoundError : there is no ``mount`` program.
    PermissionError : this user may not mount a file system.
    """
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True)
    if mounted.returncode:
        raise PermissionError("mounting a file system is not permitted")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
