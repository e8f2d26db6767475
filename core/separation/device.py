"""Where models run: asked for by name, or the best that this machine has."""

from dataclasses import dataclass

from core.errors import DeviceUnavailable, InvalidOption

DEVICES = ("auto", "cuda", "mps", "cpu")


@dataclass(frozen=True, slots=True)
class Device:
    """A device by torch's name, with the reason for its choice as a sentence."""

    name: str
    reason: str


def resolve_device(name: str = "auto") -> Device:
    """Find the device to run on. Loads torch.

    Parameters
    ----------
    name : ``auto`` takes the first present of ``cuda``, ``mps``, ``cpu``; any of them by name is
        taken or refused, never replaced.

    Raises
    ------
    InvalidOption : no such name.
    DeviceUnavailable : this machine, or this build of torch, has no such device.
    """
    if name not in DEVICES:
        raise InvalidOption(
            f"There is no device '{name}'.", hint=f"Devices: {', '.join(DEVICES)}.", field="device"
        )
    present = _present()
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


def _present() -> set[str]:
    import torch

    present = {"cpu"}
    if torch.cuda.is_available():
        present.add("cuda")
    if torch.backends.mps.is_available():
        present.add("mps")
    return present
