"""Signalsmith Stretch 1.3.2 (MIT), a phase vocoder, as the WebAssembly that its author publishes.

Only time is stretched with it; its own transposition is off by up to 11 cents at low notes.
``signalsmith-stretch.wasm`` is the module inside the npm package of that version, byte for byte, so
a browser that plays with this package and a file that is rendered here go through the same code.
Docs/decisions/0017 says why this form. The names of its functions were shortened by its compiler.
"""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import wasmtime  # noqa: TID251

from core.audio.buffer import Samples, validate_block

_MODULE = Path(__file__).with_name("signalsmith-stretch.wasm")
_PAGE_BYTES = 1 << 16
_MEMORY_BYTES = 1 << 28  # address space; the engine needs 10 MB in stereo at 192 kHz
# Exported functions by their meaning.
_CONSTRUCT, _MAIN, _MEMORY = "f", "y", "e"
_SET_BUFFERS, _PRESET_DEFAULT, _PROCESS = "h", "n", "w"
_BLOCK_SAMPLES, _INPUT_LATENCY, _OUTPUT_LATENCY = "i", "k", "l"


class StretchEngine:
    """One running stretcher: samples in, more or fewer samples out. Same input, same output.

    Parameters
    ----------
    n_channels : 1 or 2.
    sample_rate : Hz.
    max_samples : longest input and output of one `process`.

    Attributes
    ----------
    block_samples : length of an analysis block.
    input_latency, output_latency : in samples; the output of a call is centred on the input that
        came ``input_latency`` samples before its end, and arrives ``output_latency`` samples later.
    """

    def __init__(self, n_channels: int, sample_rate: int, *, max_samples: int) -> None:
        self._n_channels = n_channels
        self._max_samples = max_samples
        module = _compile()
        self._store = wasmtime.Store(module[0])
        functions = []
        for wanted in module[1].imports:
            assert isinstance(wanted.type, wasmtime.FuncType)
            host = self._host_function(wanted.name or "")
            functions.append(wasmtime.Func(self._store, wanted.type, host))
        self._exports = wasmtime.Instance(self._store, module[1], functions).exports(self._store)
        self._call(_CONSTRUCT)
        self._call(_MAIN, 0, 0)
        self._call(_PRESET_DEFAULT, n_channels, float(sample_rate))
        self.block_samples: int = self._call(_BLOCK_SAMPLES)
        self.input_latency: int = self._call(_INPUT_LATENCY)
        self.output_latency: int = self._call(_OUTPUT_LATENCY)
        self._buffers: int = self._call(_SET_BUFFERS, n_channels, max_samples)

    def process(self, block: Samples, n_samples: int) -> Samples:
        """Take a block ``(n_channels, n)`` and return ``(n_channels, n_samples)`` for it."""
        validate_block(block, n_channels=self._n_channels)
        if max(block.shape[1], n_samples) > self._max_samples:
            raise ValueError(f"at most {self._max_samples} samples a call")
        self._buffer_view()[: self._n_channels, : block.shape[1]] = block
        self._call(_PROCESS, block.shape[1], n_samples)
        return self._buffer_view()[self._n_channels :, :n_samples].copy()

    def _call(self, name: str, *arguments: float) -> Any:
        function: Any = self._exports[name]
        return function(self._store, *arguments)

    @property
    def _memory(self) -> Any:
        return self._exports[_MEMORY]

    def _buffer_view(self) -> Samples:
        """Return inputs and outputs as rows. The memory moves as it grows: use the view at once."""
        n_bytes = self._memory.data_len(self._store)
        pointer = ctypes.cast(self._memory.data_ptr(self._store), ctypes.POINTER(ctypes.c_uint8))
        memory = np.ctypeslib.as_array(pointer, (n_bytes,))
        n_rows = 2 * self._n_channels
        stop = self._buffers + 4 * n_rows * self._max_samples
        return memory[self._buffers : stop].view(np.float32).reshape(n_rows, self._max_samples)

    def _host_function(self, name: str) -> Any:
        return {
            "a": self._fill_random,
            "b": self._grow,
            "c": self._copy,
            "d": self._abort,
        }[name]

    def _fill_random(self, start: int, n_bytes: int) -> int:
        """Seed the engine's random numbers: always alike, so that a render can be repeated."""
        self._memory.write(self._store, bytes(n_bytes), start)
        return 0

    def _grow(self, n_bytes: int) -> int:
        missing = n_bytes - self._memory.data_len(self._store)
        if missing > 0:
            self._memory.grow(self._store, -(-missing // _PAGE_BYTES))
        return 1

    def _copy(self, target: int, source: int, n_bytes: int) -> None:
        data = self._memory.read(self._store, source, source + n_bytes)
        self._memory.write(self._store, bytes(data), target)

    def _abort(self) -> None:
        raise RuntimeError("the time-stretching engine gave up")


@cache
def _compile() -> tuple[wasmtime.Engine, wasmtime.Module]:
    """Compile the module once in a process; 70 ms on one core."""
    config = wasmtime.Config()
    # By default 4 GB of address space are reserved, which the limit of a render's process excludes.
    config.memory_reservation = _MEMORY_BYTES
    config.memory_guard_size = _PAGE_BYTES
    config.memory_reservation_for_growth = _PAGE_BYTES
    engine = wasmtime.Engine(config)
    return engine, wasmtime.Module.from_file(engine, str(_MODULE))
