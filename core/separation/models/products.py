"""Demucs' layers as matrix products, their fastest form on a CPU.

The libraries below torch run convolutions with few channels, and transposed ones, at a fraction of
the processor's speed; products run near it. The layers are replaced in place, with the same
weights; results differ only by rounding.
"""

from collections.abc import Sequence
from typing import Any

import torch
from demucs.demucs import DConv, LayerScale  # noqa: TID251
from torch import Tensor, nn
from torch.nn import functional

_BRANCH = (nn.Conv1d, nn.GroupNorm, nn.GELU, nn.Conv1d, nn.GroupNorm, nn.GLU, LayerScale)


def use_products(network: Any) -> None:
    """Replace the layers of a network, in evaluation mode and on a CPU, that products speed up."""
    for module in network.modules():
        for name, child in list(module.named_children()):
            if (exchanged := _as_product(child)) is not None:
                setattr(module, name, exchanged)


def _as_product(layer: Any) -> Any:
    if isinstance(layer, DConv) and all(_is_plain(branch) for branch in layer.layers):
        return ResidualBranches(layer.layers)
    if isinstance(layer, nn.Conv1d | nn.Conv2d) and _is_pointwise(layer):
        return PointwiseConvolution(layer)
    if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d) and _overlaps_by_half(layer):
        return HalfOverlapConvolution(layer)
    return None


class ResidualBranches(nn.Module):  # type: ignore[misc]
    """A `demucs.demucs.DConv` of plain branches: squeeze, dilated convolution, widen, add."""

    def __init__(self, branches: Sequence[Any]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_Branch(branch) for branch in branches)

    def forward(self, x: Tensor) -> Tensor:
        """Run ``(n, n_channels, n_frames)``; the shape is kept."""
        for branch in self.branches:
            x = branch(x)
        return x


class _Branch(nn.Module):  # type: ignore[misc]
    def __init__(self, branch: Any) -> None:
        super().__init__()
        squeeze, self.norm, _, widen, self.wide_norm, _, scale = branch
        self.dilation = squeeze.dilation[0]
        self.n_hidden = squeeze.out_channels
        # One product computes the contributions of the three taps.
        self.taps = _frozen(squeeze.weight.permute(2, 0, 1).flatten(0, 1))
        self.bias = _frozen(squeeze.bias[:, None])
        # The bias of the wide side is the weight of a channel of ones, which saves a pass over it.
        self.widen = _frozen(torch.cat([widen.weight[:, :, 0], widen.bias[:, None]], dim=1))
        self.scale = _frozen(scale.scale[:, None])

    def forward(self, x: Tensor) -> Tensor:
        step = self.dilation
        before, here, after = torch.matmul(self.taps, x).split(self.n_hidden, dim=1)
        hidden = here + self.bias
        hidden[..., step:] += before[..., :-step]
        hidden[..., :-step] += after[..., step:]
        biased = x.new_ones(len(x), self.n_hidden + 1, x.shape[-1])
        biased[:, :-1] = functional.gelu(self.norm(hidden))
        wide = torch.matmul(self.widen, biased)
        return torch.addcmul(x, self.scale, functional.glu(self.wide_norm(wide), dim=1))


class PointwiseConvolution(nn.Module):  # type: ignore[misc]
    """A convolution of kernel 1: one product for each row of frequency."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.weight = _frozen(layer.weight.flatten(1))
        self.bias = _frozen(layer.bias[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Run ``(n, n_channels, …, n_frames)``."""
        return _run_rows(lambda rows: torch.matmul(self.weight, rows).add_(self.bias), x)


class HalfOverlapConvolution(nn.Module):  # type: ignore[misc]
    """A transposed convolution, over rows or else over frames, of twice its stride's length.

    One product computes what every input adds to the outputs of its stride and of the next one.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.stride = layer.stride[0]
        n_in, n_out = layer.in_channels, layer.out_channels
        taps = layer.weight.reshape(n_in, n_out, 2, self.stride)
        self.weight = _frozen(taps.permute(2, 3, 1, 0).reshape(-1, n_in))
        self.bias = _frozen(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Run ``(n, n_channels, n_rows, n_frames)`` or ``(n, n_channels, n_frames)``."""
        return self._over_rows(x) if x.dim() == 4 else self._over_frames(x)

    def _over_rows(self, x: Tensor) -> Tensor:
        n, n_in, n_rows, n_frames = x.shape
        rows = x.transpose(1, 2).reshape(n * n_rows, n_in, n_frames)
        parts = torch.matmul(self.weight, rows)
        parts = parts.view(n, n_rows, 2, self.stride, len(self.bias), n_frames)
        parts = parts.permute(2, 0, 4, 1, 3, 5)
        result = x.new_empty(n, len(self.bias), n_rows + 1, self.stride, n_frames)
        torch.add(parts[0], self.bias[:, None, None, None], out=result[:, :, :-1])
        result[:, :, -1] = self.bias[:, None, None]
        result[:, :, 1:] += parts[1]
        return result.flatten(2, 3)

    def _over_frames(self, x: Tensor) -> Tensor:
        n, _, n_frames = x.shape
        parts = torch.matmul(self.weight, x).view(n, 2, self.stride, len(self.bias), n_frames)
        parts = parts.permute(1, 0, 3, 4, 2)
        result = x.new_empty(n, len(self.bias), n_frames + 1, self.stride)
        torch.add(parts[0], self.bias[:, None, None], out=result[:, :, :-1])
        result[:, :, -1] = self.bias[:, None]
        result[:, :, 1:] += parts[1]
        return result.flatten(2)


def _is_plain(branch: Any) -> bool:
    """Check whether a branch of a `DConv` is only a squeeze of three taps and a widening."""
    if len(branch) != len(_BRANCH) or not all(map(isinstance, branch, _BRANCH)):
        return False
    squeeze, widen = branch[0], branch[3]
    is_centred = squeeze.kernel_size == (3,) and squeeze.padding == squeeze.dilation
    return is_centred and _is_pointwise(widen)


def _is_pointwise(layer: Any) -> bool:
    is_single = set(layer.kernel_size) == {1} and set(layer.stride) == {1}
    return is_single and set(layer.padding) == {0} and layer.groups == 1 and layer.bias is not None


def _overlaps_by_half(layer: Any) -> bool:
    kernel, stride = layer.kernel_size, layer.stride
    is_along_first = kernel[0] == 2 * stride[0] and set(kernel[1:]) <= {1} >= set(stride[1:])
    is_bare = set(layer.padding) == set(layer.output_padding) == {0} and set(layer.dilation) == {1}
    return is_along_first and is_bare and layer.groups == 1 and layer.bias is not None


def _run_rows(run: Any, x: Tensor) -> Tensor:
    """Apply a function of ``(n, n_channels, n_frames)`` to every row of ``(n, n_channels, …)``."""
    if x.dim() == 3:
        return run(x)
    n, n_channels, n_rows, n_frames = x.shape
    rows = x.transpose(1, 2).reshape(n * n_rows, n_channels, n_frames)
    return run(rows).view(n, n_rows, -1, n_frames).transpose(1, 2)


def _frozen(weights: Tensor) -> Any:
    return nn.Parameter(weights.detach().contiguous(), requires_grad=False)
