"""Reads the variables of a TensorFlow checkpoint; needs no TensorFlow, and executes nothing.

A checkpoint is an index, which is a sorted table of LevelDB, and one file of values. An entry of
the table is a variable's name with its type, shape, place and size as a protocol buffer. Every
number is checked against the size of what it refers to.

References: https://github.com/google/leveldb/blob/main/doc/table_format.md;
tensorflow/core/protobuf/tensor_bundle.proto.
"""

import struct
from collections.abc import Callable, Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from core.errors import UnsafeWeights

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_FLOAT = 1
_MAX_DIMENSIONS = 8

Weights = dict[str, NDArray[np.float32]]


class _Malformed(Exception):
    """The bytes are no table, or no entry."""


def read_checkpoint(
    index: bytes, values: bytes, wanted: Callable[[str], bool], *, name: str
) -> Weights:
    """Return variables by name, float32.

    Parameters
    ----------
    index, values : the files ``.index`` and ``.data-00000-of-00001``.
    wanted : which names to read; the state of an optimiser is longer than the network.
    name : of the checkpoint, for messages.

    Raises
    ------
    UnsafeWeights : the files are malformed, compressed, or hold another type than float32.
    """
    try:
        return {
            key: _read_value(entry, values) for key, entry in _entries(index) if key and wanted(key)
        }
    except (_Malformed, IndexError, UnicodeDecodeError, struct.error) as error:
        raise UnsafeWeights(
            f"{name} is no checkpoint that can be read: {error}.",
            hint="Take the file from its publisher again.",
            field="model",
        ) from error


def _entries(index: bytes) -> Iterator[tuple[str, bytes]]:
    if len(index) < _FOOTER or struct.unpack("<Q", index[-8:])[0] != _MAGIC:
        raise _Malformed("its index has no footer")
    footer = index[-_FOOTER:]
    _, position = _varint(footer, 0)
    _, position = _varint(footer, position)
    start, position = _varint(footer, position)
    size, _ = _varint(footer, position)
    for _, handle in _block(index, start, size):
        start, position = _varint(handle, 0)
        size, _ = _varint(handle, position)
        for key, entry in _block(index, start, size):
            yield key.decode(), entry


def _block(index: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    end = start + size
    if size < 4 or end >= len(index):
        raise _Malformed("a block lies outside its index")
    if index[end] != 0:
        raise _Malformed("a block is compressed")
    block = index[start:end]
    n_restarts = struct.unpack("<I", block[-4:])[0]
    end = len(block) - 4 - 4 * n_restarts
    key, position = b"", 0
    while position < end:
        n_shared, position = _varint(block, position)
        n_new, position = _varint(block, position)
        n_value, position = _varint(block, position)
        stop = position + n_new + n_value
        if n_shared > len(key) or stop > end:
            raise _Malformed("an entry is longer than its block")
        key = key[:n_shared] + block[position : position + n_new]
        yield key, block[position + n_new : stop]
        position = stop


def _read_value(entry: bytes, values: bytes) -> NDArray[np.float32]:
    fields = dict(_fields(entry))
    shape = _shape(fields.get(2, b""))
    start, size = fields.get(4, 0), fields.get(5, 0)
    if fields.get(1) != _FLOAT or fields.get(3, 0) != 0:
        raise _Malformed("a variable is not float32 in one file")
    if not isinstance(start, int) or not isinstance(size, int):
        raise _Malformed("a variable has no place")
    if size != 4 * prod(shape) or start + size > len(values):
        raise _Malformed("a variable lies outside its file")
    found = np.frombuffer(values, dtype="<f4", count=size // 4, offset=start)
    if not np.isfinite(found).all():
        raise _Malformed("a variable is not finite")
    return found.reshape(shape).astype(np.float32)


def _shape(message: object) -> tuple[int, ...]:
    if not isinstance(message, bytes):
        raise _Malformed("a variable has no shape")
    shape: list[int] = []
    for number, value in _fields(message):
        if number == 2 and isinstance(value, bytes):
            length = dict(_fields(value)).get(1, 0)
            if not isinstance(length, int) or len(shape) == _MAX_DIMENSIONS:
                raise _Malformed("a variable has an invalid shape")
            shape.append(length)
    return tuple(shape)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a protocol buffer."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == 2:
            size, position = _varint(message, position)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise _Malformed("an entry has a field of an unknown kind")
        if position + size > len(message):
            raise _Malformed("a field is longer than its entry")
        yield number, message[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise _Malformed("a number is too long")
