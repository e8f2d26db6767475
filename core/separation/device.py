"""Devices of models: by name, or the best one of this machine."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from core.errors import DeviceUnavailable, InvalidOption

DEVICES = ("auto", "cuda", "mps", "cpu")

_BYTES_PER_SAMPLE = 4000  # peak memory of one forward pass of HTDemucs, in float32
_MAX_SEGMENTS = 16


@dataclass(frozen=True, slots=True)
class Device:
    """Device by torch's name, with the reason for its choice as a sentence."""

    name: str
    reason: str


def resolve_device(name: str = "auto") -> Device:
    """Return the device to run on. Loads torch, except for ``cpu``, which always exists.

    Parameters
    ----------
    name : ``auto`` takes the first present of ``cuda``, ``mps``, ``cpu``; a named device is used or
        rejected, never replaced.

    Raises
    ------
    InvalidOption : unknown name.
    DeviceUnavailable : this machine, or this build of torch, has no such device.
    """
    if name not in DEVICES:
        raise InvalidOption(
            f"There is no device '{name}'.", hint=f"Devices: {', '.join(DEVICES)}.", field="device"
        )
    present = {"cpu"} if name == "cpu" else _present()
    if name == "auto":
        best = next(device for device in DEVICES if device in present)
        others = [device for device in DEVICES[1:] if device not in present]
        missing = f"; this machine has no {' or '.join(others)}" if best == "cpu" else ""
        return Device(best, f"auto took {best}{missing}.")
    if name not in present:
        raise DeviceUnavailable(
            f"This machine has no device '{name}'.",
            hint=f"Set DEVICE to auto or to one of: {', '.join(sorted(present))}.",
            field="device",
        )
    return Device(name, f"{name} was asked for.")


def segments_that_fit(device: str, n_samples: int) -> int:
    """Return the batch size for segments of ``n_samples``.

    1 on a CPU, where larger batches cost time (measured: a fifth); on CUDA as many as fit into free
    memory.
    """
    import torch

    if not device.startswith("cuda"):
        return 1
    free_bytes, _ = torch.cuda.mem_get_info(device)
    return int(max(1, min(_MAX_SEGMENTS, free_bytes // (_BYTES_PER_SAMPLE * n_samples))))


def half_precision(device: str) -> AbstractContextManager[object]:
    """Run a network's layers in 16 bits on CUDA, where that is faster.

    On a CPU it is slower, and on MPS not faster.
    """
    import torch

    if not device.startswith("cuda"):
        return nullcontext()
    dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    context: AbstractContextManager[object] = torch.autocast("cuda", dtype=dtype)
    return context


def _present() -> set[str]:
    import torch

    present = {"cpu"}
    if torch.cuda.is_available():
        present.add("cuda")
    if torch.backends.mps.is_available():
        present.add("mps")
    return present
