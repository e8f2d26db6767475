"""Networks with a YAML file: SCNet, BS-RoFormer, MelBand RoFormer, MDX23C.

The networks are from other packages (`core.separation.families.networks`), imported when a model is
loaded; the code around them is ours. The YAML file published with the weights holds the length of a
chunk and the overlap. As in training, the mixture is mirrored at both ends as context for its first
and last samples.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.audio.buffer import Samples
from core.errors import UnsafeWeights
from core.separation.device import resolve_device, segments_that_fit
from core.separation.families.networks import NetworkFamily
from core.separation.models.base import SeparatorModel
from core.separation.streaming.mixture import StemBlock, StereoMixture
from core.separation.streaming.oom_fallback import OomFallback
from core.separation.streaming.overlap_add import OVERLAP, overlap_add
from core.separation.streaming.run import Run
from core.separation.streaming.scale import Scale
from core.separation.weights.location import WeightsLocation
from core.separation.weights.network_config import NetworkConfig, read_network_config
from core.separation.weights.safe_load import NUMPY_GLOBALS, load_pickle

# Keys under which trainers wrap the weights, and labels that are not arguments of a network.
_WRAPPERS = ("state", "state_dict", "model_state_dict")
_LABELS = ("type", "model_type", "architecture")
_MIN_PARTS = 8  # maximum number of parts of a chunk when memory is short


class NetworkModel(SeparatorModel):
    """One network, described by a YAML file.

    Parameters
    ----------
    family : the network's class, and how it is run.
    location : where weights and config are; they are verified before they are read.
    device : ``auto``, or torch's name of where to run.

    Raises
    ------
    UnsafeWeights : a file fails its checksum, holds more than weights, or does not fit the config.
    ModelUnavailable : a file cannot be read.
    """

    def __init__(self, family: NetworkFamily, location: WeightsLocation, device: str) -> None:
        if location.config is None:
            raise _unfit(location, "its YAML file is missing")
        self.name = location.info.name
        self.licence = location.info.licence
        self.weights_sha256 = location.verify()
        self.device = resolve_device(device).name
        self._family = family
        self._config = read_network_config(location.config)
        self._network = _load_network(family, location, self._config).to(self.device).eval()
        self.stems = self._config.stems
        self.sample_rate = self._config.sample_rate
        self.residual_stem = self._config.residual_stem

    @property
    def n_bytes(self) -> int:
        """Bytes of all weights."""
        return sum(p.numel() * p.element_size() for p in self._network.parameters())

    def stream_stereo(self, mixture: StereoMixture, run: Run) -> Iterator[StemBlock]:
        """Run the network; the complement of a single output is the mixture minus that output."""
        outputs = self._config.outputs
        rows = [outputs.index(stem) for stem in run.stems if stem in outputs] or [0]
        start = 0
        for block in self._stream_network(mixture, rows, run):
            stop = start + block.shape[-1]
            given = dict(zip((outputs[row] for row in rows), block, strict=True))
            if set(run.stems) - given.keys():
                rest = mixture.read(start, stop) - block[0]
                given |= dict.fromkeys(set(self.stems) - set(outputs), rest)
            yield np.stack([given[stem] for stem in run.stems])
            start = stop

    def _stream_network(
        self, mixture: StereoMixture, rows: list[int], run: Run
    ) -> Iterator[Samples]:
        """Yield the given stems of the network, block by block, ``(n_rows, 2, n)``."""
        config = self._config
        segment = config.chunk_samples
        # A fast preset overlaps less than the config; no preset overlaps more.
        saves = run.effort.overlap < OVERLAP
        overlap = min(config.overlap, run.effort.overlap) if saves else config.overlap
        scale = Scale(mixture) if config.is_scaled else None
        mirrored = _Mirrored(mixture, round(overlap * segment), scale)
        fallback = self._fallback(segment, run)

        def run_network(segments: Tensor) -> Tensor:
            with torch.inference_mode():
                return fallback(segments)[:, rows]

        blocks = overlap_add(
            run_network,
            mirrored.read,
            mirrored.n_samples,
            segment=segment,
            overlap=overlap,
            on_segment=run.report,
            valid_length=lambda _: segment,
            batch_size=segments_that_fit(self.device, segment),
            checkpoint=run.checkpoint(
                "network",
                weights=self.weights_sha256,
                rows=rows,
                n_samples=mixture.n_samples,
                segment=segment,
                overlap=overlap,
            ),
        )
        try:
            for block in mirrored.cut(blocks):
                stems: Samples = (block if scale is None else scale.undo(block)).numpy()
                yield stems
        finally:
            fallback.close()

    def _fallback(self, segment: int, run: Run) -> OomFallback:
        return OomFallback(
            self._network,
            self.device,
            run.tell,
            run=self._run_segments,
            shorten=None if self._family.is_fixed_length else lambda _: None,
            segment=segment,
            min_segment=segment // _MIN_PARTS,
        )

    def _run_segments(self, segments: Tensor) -> Tensor:
        """Run chunks ``(n_segments, 2, n)`` to stems ``(n_segments, n_outputs, 2, n)``."""
        stft = getattr(self._network, "stft_config", None)
        if stft is not None:
            # SCNet sets no window. This is torch's default, which warns at each chunk.
            stft["window"] = torch.ones(stft["win_length"], device=segments.device)
        with _layers_in_half(segments, self._family):
            stems = self._network(segments)
        if stems.ndim == 3:  # a single stem has no stem axis
            stems = stems[:, None]
        # Some spectrograms end with their last whole frame.
        missing = segments.shape[-1] - stems.shape[-1]
        return torch.nn.functional.pad(stems.float(), (0, missing))


class _Mirrored:
    """The mixture extended by its mirror image at both ends.

    Parameters
    ----------
    margin : samples on both sides; a mixture of less than twice that length is not extended.
    scale : the scaled samples to use; None for the mixture's own.
    """

    def __init__(self, mixture: StereoMixture, margin: int, scale: Scale | None) -> None:
        self._read = mixture.read if scale is None else scale.read
        self._length = mixture.n_samples
        self._margin = margin if mixture.n_samples > 2 * margin else 0
        self.n_samples = self._length + 2 * self._margin

    def read(self, start: int, stop: int) -> Tensor:
        """Return samples ``start`` to ``stop``, counted from the start of the margin."""
        first, last = start - self._margin, stop - self._margin
        end = self._length - 1
        parts = []
        if first < 0:
            parts.append(self._samples(max(1, 1 - last), 1 - first).flip(-1))
        if max(first, 0) < min(last, self._length):
            parts.append(self._samples(max(first, 0), min(last, self._length)))
        if last > self._length:
            mirror = self._samples(2 * end - last + 1, 2 * end - max(first, self._length) + 1)
            parts.append(mirror.flip(-1))
        return torch.cat(parts, dim=-1)

    def cut(self, blocks: Iterator[Tensor]) -> Iterator[Tensor]:
        """Remove the margins from blocks that cover all of it."""
        start = -self._margin
        for block in blocks:
            inside = block[..., max(0, -start) : max(0, self._length - start)]
            start += block.shape[-1]
            if inside.shape[-1]:
                yield inside

    def _samples(self, start: int, stop: int) -> Tensor:
        return torch.as_tensor(self._read(start, stop))


def _layers_in_half(segments: Tensor, family: NetworkFamily) -> AbstractContextManager[object]:
    """Run layers in 16 bits on CUDA if they were trained so; torch keeps the STFT in 32."""
    if not segments.is_cuda or not family.runs_in_half:
        return nullcontext()
    context: AbstractContextManager[object] = torch.autocast("cuda", dtype=torch.float16)
    return context


def _load_network(family: NetworkFamily, location: WeightsLocation, config: NetworkConfig) -> Any:
    state = _load_state(location.files[0])
    try:
        network = _make_network(family, location, config)
        network.load_state_dict(state)
        n_outputs = _count_outputs(network)
    except (TypeError, ValueError, RuntimeError, KeyError, AttributeError, AssertionError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(":.")
        raise _unfit(location, reason) from error
    if n_outputs != len(config.outputs):
        names = ", ".join(config.outputs)
        raise _unfit(location, f"the network returns {n_outputs} stems, its config names {names}")
    if getattr(network, "audio_channels", 2) != 2:
        raise _unfit(location, "the network is not stereo")
    return network


def _make_network(family: NetworkFamily, location: WeightsLocation, config: NetworkConfig) -> Any:
    family.require(location.info)
    module, name = family.network.split(":")
    network = getattr(import_module(module), name)
    if family.takes_config:
        content = import_module("pymss_core").AttrDict(config.content)
        content.training.setdefault("target_instrument", None)
        return network(content)
    arguments = {key: value for key, value in config.content["model"].items() if key not in _LABELS}
    return network(**arguments)


def _count_outputs(network: Any) -> int:
    if hasattr(network, "sources"):
        return len(network.sources)
    n_outputs = getattr(network, "num_stems", None) or network.num_target_instruments
    return int(n_outputs)


def _load_state(file: Path) -> Any:
    """Read weights without running anything that the file holds. Raises `UnsafeWeights`."""
    if file.suffix == ".safetensors":
        try:
            return load_file(file)
        except (SafetensorError, OSError, ValueError) as error:
            raise UnsafeWeights(
                f"{file.name} cannot be read: {type(error).__name__}.",
                hint="The file is damaged. Fetch it again.",
                field="model",
            ) from error
    state = load_pickle(file, NUMPY_GLOBALS)
    wrapper = next((name for name in _WRAPPERS if isinstance(state, dict) and name in state), None)
    return state if wrapper is None else state[wrapper]


def _unfit(location: WeightsLocation, reason: str) -> UnsafeWeights:
    return UnsafeWeights(
        f"The model '{location.info.name}' was not loaded: {reason}.",
        hint="Weights and YAML file must come from the same publication.",
        field="model",
    )
