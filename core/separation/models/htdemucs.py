"""HTDemucs' forward pass in three parts: to spectra, through the layers, back to waveforms.

The layers take nearly all of the time. On their own they have no complex numbers and one fixed
shape, so they can be compiled, or run in half precision on a GPU while the transforms and the
normalisation stay in float32. The result equals the network's own ``forward``, bit for bit in
float32 without compilation.

Reference: ``HTDemucs.forward`` of demucs 4.1 (MIT).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from core.separation.device import half_precision

_EPSILON = 1e-5


class Layers(torch.nn.Module):  # type: ignore[misc]
    """Encoders, transformer and decoders of both branches."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, xt: Tensor) -> tuple[Tensor, Tensor]:
        """Run normalised spectra ``(b, 2c, bins, frames)`` and waveforms ``(b, c, n)``."""
        network = self.network
        skips, skips_t, lengths, lengths_t = [], [], [], []
        for index, encode in enumerate(network.encoder):
            lengths.append(x.shape[-1])
            merged = None
            if index < len(network.tencoder):
                lengths_t.append(xt.shape[-1])
                encode_t = network.tencoder[index]
                xt = encode_t(xt)
                if encode_t.empty:
                    merged = xt
                else:
                    skips_t.append(xt)
            x = encode(x, merged)
            if index == 0 and network.freq_emb is not None:
                bins = torch.arange(x.shape[-2], device=x.device)
                embedding = network.freq_emb(bins).t()[None, :, :, None].expand_as(x)
                x = x + network.freq_emb_scale * embedding
            skips.append(x)
        if network.crosstransformer:
            x, xt = self._attend(x, xt)
        first_t = network.depth - len(network.tdecoder)
        for index, decode in enumerate(network.decoder):
            x, before = decode(x, skips.pop(), lengths.pop())
            if index < first_t:
                continue
            decode_t = network.tdecoder[index - first_t]
            if decode_t.empty:
                xt, _ = decode_t(before[:, :, 0], None, lengths_t.pop())
            else:
                xt, _ = decode_t(xt, skips_t.pop(), lengths_t.pop())
        return x, xt

    def _attend(self, x: Tensor, xt: Tensor) -> tuple[Tensor, Tensor]:
        network = self.network
        if not network.bottom_channels:
            x, xt = network.crosstransformer(x, xt)
            return x, xt
        n_bins = x.shape[2]
        x = network.channel_upsampler(x.flatten(2)).unflatten(2, (n_bins, -1))
        x, xt = network.crosstransformer(x, network.channel_upsampler_t(xt))
        x = network.channel_downsampler(x.flatten(2)).unflatten(2, (n_bins, -1))
        return x, network.channel_downsampler_t(xt)


def can_split(network: Any) -> bool:
    """Check whether `run_split` supports this network, as it does all released ones."""
    return bool(network.use_train_segment and network.cac)


def run_split(network: Any, layers: Callable[..., Any], segments: Tensor) -> Tensor:
    """Run segments of the network's own length.

    Parameters
    ----------
    network : an HTDemucs, in evaluation mode.
    layers : its `Layers`, plain or compiled.
    segments : float32, shape ``(n_segments, n_channels, n)``.

    Returns
    -------
    float32, shape ``(n_segments, n_stems, n_channels, n)``.
    """
    n_segments, _, n_samples = segments.shape
    n_stems = len(network.sources)
    spectra = network._spec(segments)
    x = network._magnitude(spectra).to(segments.device)
    x, mean, std = _normalise(x)
    xt, mean_t, std_t = _normalise(segments)
    shape = x.shape
    with half_precision(str(segments.device)):
        x, xt = layers(x, xt)
    x = x.float().view(n_segments, n_stems, -1, *shape[-2:]) * std[:, None] + mean[:, None]
    if x.device.type == "mps":
        x = x.cpu()  # which has no complex numbers
    waveforms = network._ispec(network._mask(spectra, x), n_samples).to(segments.device)
    xt = xt.float().view(n_segments, n_stems, -1, n_samples)
    return xt * std_t[:, None] + mean_t[:, None] + waveforms


def _normalise(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    axes = tuple(range(1, x.dim()))
    mean = x.mean(dim=axes, keepdim=True)
    std = x.std(dim=axes, keepdim=True)
    return (x - mean) / (_EPSILON + std), mean, std
