"""The harmony network for training; `core.analysis.harmony.network` is the same with numpy."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from core.analysis.harmony.network import CHORD_QUALITIES

_TAPS = 60
_FIRST_CLASS = 4


class Around(nn.Module):
    """From features of the twelve roots ``(…, 12, a)`` to ``(…, 12, b)``, alike for each root."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(12, n_in, n_out) / math.sqrt(12 * n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))
        steps = (torch.arange(12)[:, None] - torch.arange(12)) % 12
        self.register_buffer("steps", steps)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features of the next layer."""
        assert isinstance(self.steps, Tensor)
        n_in, n_out = self.weights.shape[1:]
        turned = self.weights[self.steps].permute(0, 2, 1, 3).reshape(12 * n_in, 12 * n_out)
        found: Tensor = features.flatten(-2) @ turned
        return found.view(*features.shape[:-2], 12, n_out) + self.bias


class HarmonyNet(nn.Module):
    """Frames of pitches to chords and averaged features; these to keys.

    The bass is learned too, as it helps to hear roots; its weights are not kept: it told 3 % of
    inversions, and was wrong in nearly half of them.
    """

    def __init__(self, sizes: tuple[int, int, int], dropout: float = 0.3) -> None:
        super().__init__()
        self.pitch = nn.Parameter(torch.randn(_TAPS, sizes[0]) * 0.15)
        self.pitch_bias = nn.Parameter(torch.zeros(sizes[0]))
        self.root = Around(sizes[0], sizes[1])
        self.chord = Around(sizes[1], len(CHORD_QUALITIES))
        self.bass = Around(sizes[1], 1)
        self.none = nn.Linear(sizes[1], 1)
        self.mean = Around(2 * sizes[1], sizes[2])
        self.key = Around(sizes[2], 2)
        self.dropout = nn.Dropout(dropout)

    def hear(self, pitches: Tensor) -> Tensor:
        """Return the features of frames ``(…, 57)``: ``(…, 12, n)``, C first."""
        padded = functional.pad(pitches, (12, 2)).unfold(-1, _TAPS, 1)
        roots = functional.elu(padded @ self.pitch + self.pitch_bias)
        found: Tensor = functional.elu(self.root(torch.roll(roots, _FIRST_CLASS, dims=-2)))
        return found

    def chords(self, features: Tensor) -> Tensor:
        """Return scores of the chords, by quality and root, and of no chord."""
        chords = self.chord(features).transpose(-1, -2).flatten(-2)
        return torch.cat([chords, self.none(features.mean(-2))], dim=-1)

    def keys(self, means: Tensor, openings: Tensor) -> Tensor:
        """Return scores of the keys, ``(…, 24)``, major first."""
        both = self.dropout(torch.cat([means, openings], dim=-1))
        found: Tensor = self.key(self.dropout(functional.elu(self.mean(both))))
        return found.transpose(-1, -2).flatten(-2)

    def weights(self) -> dict[str, NDArray[np.float16]]:
        """Return the weights as `core.analysis.harmony.network.lay_out` takes them."""
        kept = {
            "pitch": self.pitch,
            "pitch_bias": self.pitch_bias,
            "root": self.root.weights,
            "root_bias": self.root.bias,
            "chord": self.chord.weights,
            "chord_bias": self.chord.bias,
            "none": self.none.weight[0],
            "none_bias": self.none.bias,
            "mean": self.mean.weights,
            "mean_bias": self.mean.bias,
            "key": self.key.weights,
        }
        return {name: value.detach().numpy().astype(np.float16) for name, value in kept.items()}
