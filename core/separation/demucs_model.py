"""The Demucs family. The only module that knows the demucs package.

The networks are demucs' own; the way around them is not: weights are loaded safely, segments go
through `core.separation.overlap_add` instead of ``apply_model`` (same result, constant memory,
progress and cancel at each segment, no random shift), and a bag runs only those networks whose
weight for some stem isn't zero.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from demucs.apply import BagOfModels  # noqa: TID251
from demucs.demucs import Demucs  # noqa: TID251
from demucs.hdemucs import HDemucs  # noqa: TID251
from demucs.htdemucs import HTDemucs  # noqa: TID251
from demucs.states import load_model  # noqa: TID251

from core.audio.buffer import Samples
from core.errors import UnsafeWeights
from core.separation.base import Monitor, SeparatorModel
from core.separation.device import Device, resolve_device
from core.separation.location import WeightsLocation
from core.separation.overlap_add import overlap_add
from core.separation.safe_load import NUMPY_GLOBALS, load_pickle, load_safetensors_package
from core.separation.weights import WeightsStore

_CLASSES: dict[str, type] = {
    f"{network.__module__}.{network.__qualname__}": network
    for network in (Demucs, HDemucs, HTDemucs)
}
# Released packages keep the network's arguments (Fraction) and those of its training (numpy).
_ALLOWED = (*_CLASSES.values(), Fraction, *NUMPY_GLOBALS)


class DemucsModel(SeparatorModel):
    """A bag of Demucs networks, often of one.

    Parameters
    ----------
    location : where the weights are; they are verified before they are read.
    device : where to run.

    Raises
    ------
    UnsafeWeights : a file fails its checksum, holds more than weights, or the files of a bag do not
        fit each other.
    ModelUnavailable : a file cannot be read.
    """

    def __init__(self, location: WeightsLocation, device: Device) -> None:
        self.name = location.info.name
        self.licence = location.info.licence
        self.weights_sha256 = location.verify()
        self.device = device.name
        self._bag = _load_bag(location)
        self._bag.to(device.name).eval()
        self.stems = tuple(self._bag.sources)
        self.sample_rate = int(self._bag.samplerate)
        self.residual_stem = "other" if "other" in self.stems else self.stems[-1]

    def _separate_stereo(self, mixture: Samples, monitor: Monitor) -> dict[str, Samples]:
        stems = np.zeros((len(self.stems), *mixture.shape), dtype=np.float32)
        totals = [sum(column) for column in zip(*self._bag.weights, strict=True)]
        parts = [
            (network, row)
            for network, row in zip(self._bag.models, self._bag.weights, strict=True)
            if any(row)
        ]
        with torch.inference_mode(), _plain_attention():
            scale = _Scale(torch.from_numpy(mixture))
            for done, (network, row) in enumerate(parts):
                self._add_network(network, row, scale, stems, _Part(monitor, done, len(parts)))
            for i, total in enumerate(totals):
                stem = torch.from_numpy(stems[i])
                stem.div_(total).mul_(scale.std).add_(scale.mean)
        return dict(zip(self.stems, stems, strict=True))

    def _add_network(
        self, network: Any, row: list[float], scale: "_Scale", stems: Samples, part: "_Part"
    ) -> None:
        """Add a network's stems, each times its weight, to ``stems``."""
        blocks = overlap_add(
            lambda segment: network(segment.to(self.device)),
            scale.read,
            stems.shape[-1],
            segment=int(network.samplerate * network.segment),
            on_segment=part.report,
            valid_length=getattr(network, "valid_length", None),
        )
        for start, block in blocks:
            stop = start + block.shape[-1]
            for i, weight in enumerate(row):
                if weight:
                    torch.from_numpy(stems[i, :, start:stop]).add_(block[i] * weight)


class _Scale:
    """The mixture as the networks know it: mean 0, standard deviation 1, of its mono mix."""

    def __init__(self, mixture: Any) -> None:
        mono = mixture.mean(0)
        self._mixture = mixture
        self.mean = mono.mean()
        # One sample has no standard deviation; demucs would give NaN.
        self.std = (mono.std() if mono.numel() > 1 else torch.zeros(())) + 1e-8

    def read(self, start: int, stop: int) -> Any:
        """Give samples of the scaled mixture, shape ``(2, stop - start)``."""
        return (self._mixture[:, start:stop] - self.mean) / self.std


class _Part:
    """Turns the progress of one network into that of the bag."""

    def __init__(self, monitor: Monitor, done: int, n_parts: int) -> None:
        self._monitor, self._done, self._n_parts = monitor, done, n_parts

    def report(self, fraction: float) -> None:
        self._monitor.report((self._done + fraction) / self._n_parts)


def _load_bag(location: WeightsLocation) -> Any:
    networks = [_load_network(file) for file in location.files]
    weights = location.bag.weights
    try:
        bag = BagOfModels(
            networks, None if weights is None else list(weights), location.bag.segment_s
        )
    except AssertionError as error:
        raise _unfit(location, "its networks differ in stems, rate or channels") from error
    if bag.audio_channels != 2:
        raise _unfit(location, f"it wants {bag.audio_channels} channels instead of 2")
    if any(sum(column) <= 0 for column in zip(*bag.weights, strict=True)):
        raise _unfit(location, "a stem has no weight")
    return bag


def _unfit(location: WeightsLocation, reason: str) -> UnsafeWeights:
    return UnsafeWeights(f"The model '{location.info.name}' was not loaded: {reason}.")


def _load_network(file: Path) -> Any:
    if file.suffix == ".safetensors":
        package = load_safetensors_package(file, _CLASSES)
    else:
        package = load_pickle(file, _ALLOWED)
    try:
        if package["klass"] not in _CLASSES.values():
            raise TypeError(f"it is no Demucs network but {package['klass']}")
        return load_model(package)
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UnsafeWeights(
            f"{file.name} was not loaded: {reason}.",
            hint="It does not hold a Demucs network that demucs 4.1 can run.",
            field="model",
        ) from error


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Switch the fast path of multi-head attention off.

    Scaled dot-product attention takes its place: about a tenth less time on a CPU, the same stems
    to 127 dB.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def build(name: str, *, device: str, model_dir: Path | None) -> DemucsModel:
    """Load the model; see `core.separation.factory.Builder`."""
    return DemucsModel(WeightsStore(model_dir).require(name), resolve_device(device))
