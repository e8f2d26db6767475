"""Writes checkpoints as TensorFlow does, and a wheel with one of a tiny musicnn."""

import struct
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.enrichment.musicnn.network import N_BANDS, NAMES
from core.enrichment.musicnn.tags import TAGS

N_DIMENSIONS = 6
N_FILTERS, N_MIDDLE = 2, 3
LICENCE = "musicnn-0.1.0.dist-info/LICENSE.md"


def varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(array: NDArray[np.float32], start: int, *, dtype: int = 1) -> bytes:
    shape = b"".join(field(2, field(1, n)) for n in array.shape)
    checksum = varint(6 << 3 | 5) + bytes(4)
    places = field(4, start) + field(5, array.nbytes)
    return field(1, dtype) + field(2, shape) + places + checksum


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    data, before = b"", b""
    for key, value in entries:
        n = next((i for i, (a, b) in enumerate(zip(before, key, strict=False)) if a != b), 0)
        data += varint(n) + varint(len(key) - n) + varint(len(value)) + key[n:] + value
        before = key
    return data + struct.pack("<II", 0, 1)


def checkpoint(arrays: dict[str, NDArray[np.float32]], **changes: int) -> tuple[bytes, bytes]:
    """Return the files ``.index`` and ``.data-00000-of-00001``."""
    values = b""
    entries = [(b"", field(1, 1))]
    for name, array in sorted(arrays.items()):
        entries.append((name.encode(), entry(array, len(values), **changes)))
        values += array.astype("<f4").tobytes()
    data = block(entries)
    index = data + bytes(5)
    handle = varint(0) + varint(len(data))
    top = block([(b"\xff", handle)])
    meta = len(index) + len(top) + 5
    footer = varint(meta) + varint(0) + varint(len(index)) + varint(len(top))
    footer = footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    return index + top + bytes(5) + footer, values


def tiny_weights(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """The variables of a network like musicnn's with few filters, random."""
    rng = np.random.default_rng(seed)
    n_front = 5 * N_FILTERS
    n_all = 2 * (n_front + 3 * N_MIDDLE)
    kernels: list[tuple[int, ...]] = [
        (7, 38, 1, N_FILTERS),
        (7, 67, 1, N_FILTERS),
        *((n, 1, 1, N_FILTERS) for n in (128, 64, 32)),
        (7, n_front, 1, N_MIDDLE),
        *((7, N_MIDDLE, 1, N_MIDDLE),) * 2,
    ]
    dense: list[tuple[int, ...]] = [(n_all, N_DIMENSIONS), (N_DIMENSIONS, len(TAGS))]
    widths = [1, *(shape[-1] for shape in kernels), n_all, N_DIMENSIONS]
    found: dict[str, NDArray[np.float32]] = {}
    for name in sorted(NAMES):
        layer, part = name.split("/")
        kind, _, number = layer.rpartition("_")
        n = int(number) if number.isdigit() else 0
        kind = kind if number.isdigit() else layer
        shapes = {"conv2d": kernels, "dense": dense}.get(kind, [(width,) for width in widths])
        shape = shapes[n] if part == "kernel" else shapes[n][-1:]
        values = rng.standard_normal(shape) * 0.2
        if part in ("moving_variance", "gamma"):
            values = 0.5 + np.abs(values)
        found[name] = values.astype(np.float32)
    return found


def write_wheel(path: Path, arrays: dict[str, NDArray[np.float32]]) -> Path:
    index, values = checkpoint(arrays)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("musicnn/MTT_musicnn/.index", index)
        archive.writestr("musicnn/MTT_musicnn/.data-00000-of-00001", values)
        archive.writestr(LICENCE, "ISC")
    return path


def make_patch(seed: int = 0, n_frames: int = 187) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 4, (n_frames, N_BANDS)).astype(np.float32)
