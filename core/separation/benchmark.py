"""Devices and memory of this machine, and the speed of a model on them."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.audio.buffer import Samples
from core.errors import JobCancelled
from core.separation.models.base import SeparatorModel

BENCHMARK_S = 10.0
_WARM_UP_S = 0.5


@dataclass(frozen=True, slots=True)
class DeviceFact:
    """A device that models could run on.

    Attributes
    ----------
    name : torch's (``cpu``, ``cuda:0``, ``mps``).
    is_present : whether it can be used.
    description : its name, or why it is missing.
    total_bytes, free_bytes : of its own memory; None if it shares the machine's.
    """

    name: str
    is_present: bool
    description: str
    total_bytes: int | None = None
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of the machine, or of the container of this process, in bytes."""

    total_bytes: int | None
    available_bytes: int | None


@dataclass(frozen=True, slots=True)
class Speed:
    """Time of a model for some audio; ``realtime_factor`` is the length of audio over the time."""

    audio_s: float
    seconds: float
    realtime_factor: float


def list_devices() -> list[DeviceFact]:
    """List CUDA devices, MPS and the CPU, with the reason if one is missing. Loads torch."""
    import torch

    devices = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free_bytes, total_bytes = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            devices.append(DeviceFact(f"cuda:{index}", True, name, total_bytes, free_bytes))
    elif torch.version.cuda is None:
        reason = f"torch {torch.__version__} was built without CUDA"
        devices.append(DeviceFact("cuda", False, reason))
    else:
        reason = f"torch was built for CUDA {torch.version.cuda}, and no driver or device answers"
        devices.append(DeviceFact("cuda", False, reason))
    if torch.backends.mps.is_available():
        devices.append(DeviceFact("mps", True, "Apple's GPU, with the machine's memory"))
    else:
        is_built = torch.backends.mps.is_built()
        reason = "this macOS or Mac has no Metal GPU" if is_built else "this is no Mac with Metal"
        devices.append(DeviceFact("mps", False, reason))
    n_cores = os.cpu_count()
    description = f"{torch.get_num_threads()} threads on {n_cores} cores, torch {torch.__version__}"
    devices.append(DeviceFact("cpu", True, description))
    return devices


def measure_memory() -> Memory:
    """Return the system's memory, or a container's lower limit; None if unknown."""
    total = _sysconf("SC_PHYS_PAGES")
    available = _meminfo("MemAvailable") or _sysconf("SC_AVPHYS_PAGES")
    limit = _read_number(Path("/sys/fs/cgroup/memory.max"))
    if limit is not None and (total is None or limit < total):
        used = _read_number(Path("/sys/fs/cgroup/memory.current")) or 0
        available = min(limit - used, available if available is not None else limit)
        total = limit
    return Memory(total, available)


def measure_speed(model: SeparatorModel, *, limit_s: float = BENCHMARK_S) -> Speed:
    """Separate up to ten seconds of synthesised audio within ``limit_s``.

    At least one chunk is run after a warm-up chunk.
    """
    rate = model.sample_rate
    model.separate(make_audio(_WARM_UP_S, rate), rate)
    began = time.perf_counter()
    last = [0.0, 0.0]  # fraction done, and its time

    def progress(fraction: float) -> None:
        last[:] = fraction, time.perf_counter() - began

    def is_over() -> bool:
        return last[0] > 0 and time.perf_counter() - began > limit_s

    try:
        model.separate(
            make_audio(BENCHMARK_S, rate),
            rate,
            progress=progress,
            cancelled=is_over,
        )
        fraction, seconds = 1.0, time.perf_counter() - began
    except JobCancelled:
        fraction, seconds = last
    audio_s = fraction * BENCHMARK_S
    return Speed(audio_s, seconds, audio_s / seconds)


def make_audio(seconds: float, sample_rate: int) -> Samples:
    """Synthesise a chord over a beat and noise: float32, stereo, within ±0.5."""
    rng = np.random.default_rng(0)
    times = np.arange(round(seconds * sample_rate)) / sample_rate
    chord = sum(np.sin(2 * np.pi * f * times) for f in (110.0, 220.0, 277.2, 329.6))
    beat = np.sin(2 * np.pi * 55 * times) * np.exp(-10 * (times % 0.5))
    noise = rng.uniform(-1, 1, (2, len(times)))
    return (0.05 * chord + 0.2 * beat + 0.05 * noise).astype(np.float32)


def _sysconf(name: str) -> int | None:
    try:
        pages = os.sysconf(name)
        return pages * os.sysconf("SC_PAGE_SIZE") if pages > 0 else None
    except (AttributeError, ValueError, OSError):  # not on this system
        return None


def _meminfo(name: str) -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith(f"{name}:")), None)
    return None if found is None else int(found.split()[1]) * 1024


def _read_number(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
