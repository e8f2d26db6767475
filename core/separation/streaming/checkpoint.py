"""Checkpoint of a separation: computed chunks, kept on disk until it is complete.

A killed separation resumes from the same files: stored chunks are read back, and the network runs
from the first missing chunk. Everything after the network (the average of a bag, rates, channels)
is cheap and repeated, so that the stems are the same, bit for bit.

    {name}.f32    the stems of one network, chunk after chunk: float32, each (n_rows, n_samples)
    {name}.npz    the index: number of valid chunks, and the state for the next chunk
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples
from core.system.atomic import atomic_path
from core.system.disk import storage_errors

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
        self._identity = json.dumps(identity, sort_keys=True)
        self._lengths: list[int] = []
        self._shape: tuple[int, ...] = ()
        self.state: dict[str, Array] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._data = folder / f"{name}.f32"
            self._index = folder / f"{name}.npz"
            self._open()

    @property
    def n_chunks(self) -> int:
        """Number of stored chunks."""
        return len(self._lengths)

    def chunks(self) -> Iterator[Samples]:
        """Yield the stored chunks in order; call it before `append`."""
        if not self._lengths:
            return
        n_rows = int(np.prod(self._shape))
        with self._data.open("rb") as file:
            for length in list(self._lengths):
                values = np.fromfile(file, dtype=np.float32, count=n_rows * length)
                yield values.reshape(*self._shape, length)

    def append(self, chunk: Samples, state: Mapping[str, Array]) -> None:
        """Store a chunk ``(…, n)`` and the state for the next one. Raises `StorageFull`."""
        if self._folder is None:
            return
        with storage_errors(self._data), self._data.open("ab") as file:
            file.write(np.ascontiguousarray(chunk, dtype=np.float32).tobytes())
            file.flush()
            os.fsync(file.fileno())  # before the index refers to it
        self._lengths.append(chunk.shape[-1])
        self._shape = chunk.shape[:-1]
        with atomic_path(self._index) as temporary, temporary.open("wb") as file:
            arrays: dict[str, Any] = {f"state_{name}": values for name, values in state.items()}
            arrays["identity"] = np.array(self._identity)
            arrays["shape"] = np.array(self._shape, dtype=np.int64)
            arrays["lengths"] = np.array(self._lengths, dtype=np.int64)
            np.savez(file, **arrays)

    def _open(self) -> None:
        """Load existing chunks as far as the index is valid."""
        if self._index.exists() and self._data.exists():
            with np.load(self._index) as index:
                if str(index["identity"]) == self._identity:
                    self._shape = tuple(int(n) for n in index["shape"])
                    self._lengths = [int(n) for n in index["lengths"]]
                    self.state = {
                        name.removeprefix("state_"): index[name]
                        for name in index.files
                        if name.startswith("state_")
                    }
        n_bytes = 4 * int(np.prod(self._shape)) * sum(self._lengths)
        if not self._lengths or self._data.stat().st_size < n_bytes:
            self._lengths, self._shape, self.state, n_bytes = [], (), {}, 0
            self._index.unlink(missing_ok=True)
        # Drop a chunk that was being written when the process died.
        with storage_errors(self._data), self._data.open("ab") as file:
            file.truncate(n_bytes)
