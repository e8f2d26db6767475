"""Layers as matrix products say what the layers of demucs say."""

import copy
from typing import Any

import pytest
import torch
from demucs.demucs import Demucs
from demucs.hdemucs import HDemucs
from torch import nn

from core.separation.models.products import (
    HalfOverlapConvolution,
    PointwiseConvolution,
    ResidualBranches,
    use_products,
)
from tests.models import make_tiny_htdemucs

STEMS = ["drums", "vocals"]
EXCHANGED = (HalfOverlapConvolution, PointwiseConvolution, ResidualBranches)


def make_hdemucs() -> Any:
    """With the recurrent and the attending branches that stay as they are."""
    return HDemucs(STEMS, channels=8, depth=5, nfft=1024, dconv_attn=3, dconv_lstm=3)


def make_demucs() -> Any:
    return Demucs(STEMS, channels=8, depth=3, lstm_layers=0, dconv_mode=3, normalize=False)


@pytest.mark.slow
@pytest.mark.parametrize("make", [make_tiny_htdemucs, make_hdemucs, make_demucs])
def test_a_network_with_products_gives_the_same_stems(make: Any) -> None:
    """A tap on the wrong side, or a bias counted twice, still sounds like music."""
    torch.manual_seed(0)
    network = make().eval()
    with torch.no_grad():
        for name, values in network.named_parameters():
            if name.endswith(".scale"):  # as after training: at first the branches hardly count
                values.fill_(0.5)
            elif name.endswith(".bias"):
                values.normal_(0, 0.5)
    exchanged = copy.deepcopy(network)
    use_products(exchanged)
    kinds = {type(module) for module in exchanged.modules()}
    assert kinds.issuperset(EXCHANGED)
    mixture = torch.rand(2, 2, 26_460) - 0.5
    with torch.inference_mode():
        expected, found = network(mixture), exchanged(mixture)
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("stride", [1, 3, 4])
def test_a_transposed_convolution_reaches_its_last_output(stride: int) -> None:
    """The second half of the last input's outputs lies beyond the strides of all inputs."""
    torch.manual_seed(stride)
    for layer, shape in (
        (nn.ConvTranspose1d(5, 3, 2 * stride, stride), (2, 5, 7)),
        (nn.ConvTranspose2d(5, 3, (2 * stride, 1), (stride, 1)), (2, 5, 7, 11)),
    ):
        x = torch.rand(shape)
        with torch.inference_mode():
            torch.testing.assert_close(HalfOverlapConvolution(layer)(x), layer(x))


@pytest.mark.parametrize(
    "layer",
    [
        nn.ConvTranspose1d(4, 4, 8, 4, groups=2),
        nn.ConvTranspose1d(4, 4, 8, 4, padding=1),
        nn.ConvTranspose1d(4, 4, 8, 4, output_padding=1),
        nn.ConvTranspose1d(4, 4, 6, 4),
        nn.ConvTranspose2d(4, 4, (8, 2), (4, 1)),
        nn.Conv1d(4, 4, 1, groups=2),
        nn.Conv1d(4, 4, 1, padding=1),
        nn.Conv1d(4, 4, 1, bias=False),
        nn.Conv2d(4, 4, (1, 3)),
    ],
)
def test_other_layers_stay(layer: Any) -> None:
    """A layer exchanged for one of another kind gives another shape, or another sound."""
    network = nn.Sequential(layer)
    use_products(network)
    assert network[0] is layer
