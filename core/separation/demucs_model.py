"""The Demucs family. The only module that knows the demucs package.

The networks are demucs' own; the way around them is not: weights are loaded safely, segments go
through `core.separation.overlap_add` instead of ``apply_model`` (same result, constant memory,
progress and cancel at each segment, no random shift), and a bag runs only those networks whose
weight for some stem isn't zero.
"""

from collections.abc import Callable, Iterator
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

from core.errors import UnsafeWeights
from core.separation.base import Monitor, SeparatorModel
from core.separation.device import Device, resolve_device
from core.separation.location import WeightsLocation
from core.separation.mixture import StemBlock, StereoMixture
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

    def _stream_stereo(self, mixture: StereoMixture, monitor: Monitor) -> Iterator[StemBlock]:
        totals = torch.tensor([sum(column) for column in zip(*self._bag.weights, strict=True)])
        parts = [
            (network, torch.tensor(row))
            for network, row in zip(self._bag.models, self._bag.weights, strict=True)
            if any(row)
        ]
        scale = _Scale(mixture)
        progress = _BagProgress(monitor, len(parts))
        runs = [
            self._run(network, scale, mixture.n_samples, progress.of(i))
            for i, (network, _) in enumerate(parts)
        ]
        for blocks in _side_by_side(runs):
            stems = torch.zeros_like(blocks[0])
            for (_, row), block in zip(parts, blocks, strict=True):
                stems.add_(block * row[:, None, None])
            stems.div_(totals[:, None, None]).mul_(scale.std).add_(scale.mean)
            yield stems.numpy()

    def _run(
        self, network: Any, scale: "_Scale", n_samples: int, report: Callable[[float], None]
    ) -> Iterator[Any]:
        """Give one network's stems, block by block."""

        def run(segment: Any) -> Any:
            # Here and not around the whole: what is set would hold between two blocks as well.
            with torch.inference_mode(), _plain_attention():
                return network(segment.to(self.device)).cpu()

        blocks = overlap_add(
            run,
            scale.read,
            n_samples,
            segment=int(network.samplerate * network.segment),
            on_segment=report,
            valid_length=getattr(network, "valid_length", None),
        )
        return (block for _, block in blocks)


class _Scale:
    """The mixture as the networks know it: mean 0, standard deviation 1, of its mono mix."""

    def __init__(self, mixture: StereoMixture) -> None:
        self._read = mixture.read
        n, mean, squares = 0, 0.0, 0.0  # Chan, Golub, LeVeque: variance by blocks, without loss
        for block in mixture.blocks():
            mono = block.mean(axis=0, dtype=np.float64)
            step = float(mono.mean()) - mean
            added = len(mono)
            squares += float(np.square(mono - mono.mean()).sum()) + step**2 * n * added / (
                n + added
            )
            mean += step * added / (n + added)
            n += added
        self.mean = torch.tensor(mean, dtype=torch.float32)
        # One sample has no standard deviation; demucs would give NaN.
        deviation = (squares / (n - 1)) ** 0.5 if n > 1 else 0.0
        self.std = torch.tensor(deviation, dtype=torch.float32) + 1e-8

    def read(self, start: int, stop: int) -> Any:
        """Give samples of the scaled mixture, shape ``(2, stop - start)``."""
        return (torch.from_numpy(self._read(start, stop)) - self.mean) / self.std


def _side_by_side(runs: list[Iterator[Any]]) -> Iterator[list[Any]]:
    """Give blocks of all networks for the same stretch; their segments may differ in length."""
    waiting: list[Any] = [None] * len(runs)
    while True:
        for i, run in enumerate(runs):
            if waiting[i] is None:
                waiting[i] = next(run, None)
        if any(block is None for block in waiting):
            return
        n = min(block.shape[-1] for block in waiting)
        yield [block[..., :n] for block in waiting]
        waiting = [block[..., n:] if block.shape[-1] > n else None for block in waiting]


class _BagProgress:
    """Turns the progress of networks that run side by side into that of the bag."""

    def __init__(self, monitor: Monitor, n_networks: int) -> None:
        self._monitor = monitor
        self._fractions = [0.0] * n_networks

    def of(self, index: int) -> Callable[[float], None]:
        """Give what the network at ``index`` reports to."""

        def report(fraction: float) -> None:
            self._fractions[index] = fraction
            self._monitor.report(sum(self._fractions) / len(self._fractions))

        return report


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
