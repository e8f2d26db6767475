"""Checkpoint of a separation: computed chunks, kept on disk until it is complete.

A killed separation resumes from the same files: stored chunks are read back, and the network runs
from the first missing chunk. Everything after the network (the average of a bag, rates, channels)
is cheap and repeated, so that the stems are the same, bit for bit.

    {name}.{number}.f32    the stems of one network in one chunk: float32, (n_rows, n_samples)
    {name}.npz             the index: the valid chunks, and the state for the next chunk

A file is complete when it appears and never changes, so a process that still writes to a folder
that was renamed cannot damage what its successor reads.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples
from core.system.atomic import atomic_path, write_atomically

Array = NDArray[Any]


class ChunkCheckpoint:
    """The chunks of one network.

    Parameters
    ----------
    folder : of the files; None disables the checkpoint.
    name : of the network; a file name.
    identity : everything that the chunks depend on, as JSON; chunks of another identity are
        discarded.
    """

    def __init__(self, folder: Path | None, name: str, identity: Mapping[str, Any]) -> None:
        self._folder = folder
        self._name = name
        self._identity = json.dumps(identity, sort_keys=True)
        self._lengths: list[int] = []
        self._shape: tuple[int, ...] = ()
        self.state: dict[str, Array] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._index = folder / f"{name}.npz"
            self._open()

    @property
    def n_chunks(self) -> int:
        """Number of stored chunks."""
        return len(self._lengths)

    def chunks(self) -> Iterator[Samples]:
        """Yield the stored chunks in order; call it before `append`."""
        for number, length in enumerate(list(self._lengths)):
            values = np.fromfile(self._chunk(number), dtype=np.float32)
            yield values.reshape(*self._shape, length)

    def append(self, chunk: Samples, state: Mapping[str, Array]) -> None:
        """Store a chunk ``(…, n)`` and the state for the next one. Raises `StorageFull`."""
        if self._folder is None:
            return
        data = np.ascontiguousarray(chunk, dtype=np.float32).tobytes()
        write_atomically(self._chunk(self.n_chunks), data)  # before the index refers to it
        self._lengths.append(chunk.shape[-1])
        self._shape = chunk.shape[:-1]
        with atomic_path(self._index) as temporary, temporary.open("wb") as file:
            arrays: dict[str, Any] = {f"state_{name}": values for name, values in state.items()}
            arrays["identity"] = np.array(self._identity)
            arrays["shape"] = np.array(self._shape, dtype=np.int64)
            arrays["lengths"] = np.array(self._lengths, dtype=np.int64)
            np.savez(file, **arrays)

    def _open(self) -> None:
        """Load the index if its identity fits and every chunk is there."""
        if not self._index.exists():
            return
        with np.load(self._index) as index:
            shape = tuple(int(n) for n in index["shape"])
            lengths = [int(n) for n in index["lengths"]]
            n_rows = int(np.prod(shape))
            sizes = [_size(self._chunk(number)) for number in range(len(lengths))]
            if str(index["identity"]) == self._identity and sizes == [
                4 * n_rows * n for n in lengths
            ]:
                self._shape, self._lengths = shape, lengths
                self.state = {
                    name.removeprefix("state_"): index[name]
                    for name in index.files
                    if name.startswith("state_")
                }
        if not self._lengths:
            self._index.unlink()

    def _chunk(self, number: int) -> Path:
        assert self._folder is not None
        return self._folder / f"{self._name}.{number}.f32"


def _size(path: Path) -> int:
    """Return a file's size in bytes; -1 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1
