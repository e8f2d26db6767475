"""The Demucs family. The only module that knows the demucs package.

The networks are demucs' own, the code around them is ours: weights are loaded safely, segments go
through `core.separation.streaming.overlap_add` instead of ``apply_model`` (same result, constant
memory, progress and cancel at each segment, no random shift), and a bag runs only the networks
with a weight in a wanted stem.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from demucs.apply import BagOfModels  # noqa: TID251
from demucs.demucs import Demucs  # noqa: TID251
from demucs.hdemucs import HDemucs  # noqa: TID251
from demucs.htdemucs import HTDemucs  # noqa: TID251
from demucs.states import load_model  # noqa: TID251

from core.errors import UnsafeWeights
from core.separation.device import resolve_device, segments_that_fit
from core.separation.models.base import SeparatorModel
from core.separation.models.compiled import CompiledLayers
from core.separation.models.htdemucs import Layers, can_split, run_split
from core.separation.models.products import use_products
from core.separation.streaming.mixture import StemBlock, StereoMixture
from core.separation.streaming.oom_fallback import OomFallback
from core.separation.streaming.overlap_add import overlap_add
from core.separation.streaming.passes import side_by_side
from core.separation.streaming.run import Run
from core.separation.streaming.scale import Scale
from core.separation.weights.location import WeightsLocation
from core.separation.weights.safe_load import (
    NUMPY_GLOBALS,
    load_pickle,
    load_safetensors_package,
)

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
    device : ``auto``, or torch's name of where to run.

    Raises
    ------
    UnsafeWeights : a file fails its checksum, holds more than weights, or the files of a bag do not
        fit each other.
    ModelUnavailable : a file cannot be read.
    """

    def __init__(self, location: WeightsLocation, device: str) -> None:
        self.name = location.info.name
        self.licence = location.info.licence
        self.weights_sha256 = location.verify()
        self.device = resolve_device(device).name
        self._bag = _load_bag(location)
        self._bag.to(self.device).eval()
        if self.device == "cpu":
            for network in self._bag.models:
                use_products(network)
        self.stems = tuple(self._bag.sources)
        self.sample_rate = int(self._bag.samplerate)
        self.residual_stem = "other" if "other" in self.stems else self.stems[-1]
        self._layers: dict[int, CompiledLayers] = {}

    @property
    def n_bytes(self) -> int:
        """Bytes of all weights."""
        return sum(p.numel() * p.element_size() for p in self._bag.parameters())

    def compile(self, cache_dir: Path | None) -> bool:
        """Compile the layers of HTDemucs."""
        for index, network in enumerate(self._bag.models):
            if isinstance(network, HTDemucs) and can_split(network):
                self._layers[index] = CompiledLayers(Layers(network), cache_dir)
        return bool(self._layers)

    def stream_stereo(self, mixture: StereoMixture, run: Run) -> Iterator[StemBlock]:
        """Average the networks with a weight in a wanted stem."""
        wanted = [self.stems.index(stem) for stem in run.stems]
        says = {
            index: [stem for stem in wanted if row[stem]]
            for index, row in enumerate(self._bag.weights)
            if any(row[stem] for stem in wanted)
        }
        totals = torch.tensor([sum(row[stem] for row in self._bag.weights) for stem in wanted])
        scale = Scale(mixture)
        streams = [
            self._stream_network(index, rows, scale, mixture.n_samples, part)
            for (index, rows), part in zip(says.items(), run.split(len(says)), strict=True)
        ]
        for blocks in side_by_side(streams):
            stems = torch.zeros(len(wanted), *blocks[0].shape[1:])
            for (index, rows), block in zip(says.items(), blocks, strict=True):
                for stem, samples in zip(rows, block, strict=True):
                    weight = torch.tensor(self._bag.weights[index][stem])
                    stems[wanted.index(stem)].add_(samples * weight)
            yield scale.undo(stems.div_(totals[:, None, None])).numpy()

    def _stream_network(
        self, index: int, rows: list[int], scale: Scale, n_samples: int, run: Run
    ) -> Iterator[Any]:
        """Yield the given stems of one network, block by block."""
        network = self._bag.models[index]
        segment = int(network.samplerate * network.segment)
        fallback = self._fallback(index, segment, run)

        def run_network(segments: Any) -> Any:
            # Here and not around the whole, where it would also apply between two blocks.
            with torch.inference_mode(), _plain_attention():
                return fallback(segments)[:, rows]

        try:
            yield from overlap_add(
                run_network,
                scale.read,
                n_samples,
                segment=segment,
                overlap=run.effort.overlap,
                on_segment=run.report,
                valid_length=getattr(network, "valid_length", None),
                batch_size=segments_that_fit(self.device, segment),
                checkpoint=run.checkpoint(
                    "network",
                    weights=self.weights_sha256,
                    network=index,
                    rows=rows,
                    n_samples=n_samples,
                    segment=segment,
                    overlap=run.effort.overlap,
                ),
            )
        finally:
            fallback.close()

    def _fallback(self, index: int, segment: int, run: Run) -> OomFallback:
        network = self._bag.models[index]
        if not (isinstance(network, HTDemucs) and can_split(network)):
            return OomFallback(network, self.device, run.tell, segment=segment)
        layers = self._layers.get(index) or Layers(network)

        def run_segments(segments: Any) -> Any:
            return run_split(network, layers, segments)

        def shorten(n_samples: int) -> None:
            network.segment = Fraction(n_samples, network.samplerate)

        return OomFallback(
            network,
            self.device,
            run.tell,
            run=run_segments,
            shorten=shorten,
            segment=segment,
            min_segment=network.samplerate,
        )


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
        raise _unfit(location, f"it needs {bag.audio_channels} channels instead of 2")
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
            raise TypeError(f"it is not a Demucs network but {package['klass']}")
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
    """Disable the fast path of multi-head attention.

    Scaled dot-product attention replaces it: about a tenth less time on a CPU, the same stems to
    127 dB.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
