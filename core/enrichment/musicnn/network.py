"""musicnn's network in torch: 3 s of log-mel spectrogram in, tags and an embedding out.

Filters over timbre (7 frames by 38 or 67 of 96 bands) and over rhythm (128, 64 and 32 frames), each
followed by its loudest band; three layers over time; mean and maximum over time; two dense layers.
The sizes of the layers are those of the weights.

Reference: Pons & Serra, "musicnn: pre-trained convolutional neural networks for music audio
tagging", ISMIR 2019, late-breaking session.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from core.errors import UnsafeWeights

EPSILON = 1e-3
N_BANDS = 96
N_FRAMES = 187
_N_CONVOLUTIONS = 8
_TIMBRAL, _TEMPORAL, _MIDDLE = (0, 1), (2, 3, 4), (5, 6, 7)


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


NAMES = frozenset(
    [
        *(
            f"{_numbered('conv2d', n)}/{part}"
            for n in range(_N_CONVOLUTIONS)
            for part in ("kernel", "bias")
        ),
        *(f"{_numbered('dense', n)}/{part}" for n in range(2) for part in ("kernel", "bias")),
        *(
            f"{_numbered('batch_normalization', n)}/{part}"
            for n in range(_N_CONVOLUTIONS + 3)
            for part in ("beta", "gamma", "moving_mean", "moving_variance")
        ),
    ]
)
"""The variables of the network, as its checkpoint names them."""


class MusicnnNetwork:
    """The network.

    Parameters
    ----------
    weights : by `NAMES`, float32, in TensorFlow's order of axes.

    Raises
    ------
    UnsafeWeights : a variable is missing, or the shapes do not fit one another.
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        missing = sorted(NAMES - weights.keys())
        if missing:
            raise _unfit(f"they lack {missing[0]}")
        self._weights = {name: weights[name] for name in NAMES}
        try:
            scores, embeddings = self.infer(np.zeros((1, N_FRAMES, N_BANDS), np.float32))
        except (RuntimeError, IndexError) as error:
            raise _unfit("their shapes do not fit one another") from error
        self.n_tags = scores.shape[1]
        self.n_dimensions = embeddings.shape[1]

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def infer(
        self, patches: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the scores of tags, 0 to 1, ``(n, n_tags)``, and embeddings ``(n, n_dimensions)``.

        ``patches`` : log-mel spectrograms, float32, shape ``(n, N_FRAMES, N_BANDS)``.
        """
        image = self._normalise(torch.from_numpy(patches)[:, None], 0)
        padded = functional.pad(image, (0, 0, 3, 3))
        front = [self._filter(padded, n) for n in _TIMBRAL]
        for n in _TEMPORAL:
            n_before, n_after = _same_padding(self._weights[f"conv2d_{n}/kernel"].shape[0])
            front.append(self._filter(functional.pad(image, (0, 0, n_before, n_after)), n))
        layers = [torch.cat(front, dim=1)]
        for n in _MIDDLE:
            layer = self._layer(layers[-1], n)
            layers.append(layer + layers[-1] if n > _MIDDLE[0] else layer)
        features = torch.cat(layers, dim=1)
        # The checkpoint has maximum and mean of a channel side by side.
        pooled = torch.stack([features.amax(dim=2), features.mean(dim=2)], dim=2).flatten(1)
        pooled = self._normalise(pooled, _N_CONVOLUTIONS + 1)
        embeddings = functional.relu(self._dense(pooled, 0))
        embeddings = self._normalise(embeddings, _N_CONVOLUTIONS + 2)
        scores = torch.sigmoid(self._dense(embeddings, 1))
        return scores.numpy(), embeddings.numpy()

    def _filter(self, image: Tensor, n: int) -> Tensor:
        """Return a filter's output in the loudest band, ``(n, channels, frames)``."""
        kernel, bias = self._convolution(n)
        found = functional.conv2d(image, kernel.permute(3, 2, 0, 1), bias)
        return self._normalise(functional.relu(found), n + 1).amax(dim=3)

    def _layer(self, features: Tensor, n: int) -> Tensor:
        kernel, bias = self._convolution(n)
        padded = functional.pad(features, (3, 3))
        found = functional.conv1d(padded, kernel.squeeze(2).permute(2, 1, 0), bias)
        return self._normalise(functional.relu(found), n + 1)

    def _convolution(self, n: int) -> tuple[Tensor, Tensor]:
        name = _numbered("conv2d", n)
        return self._weights[f"{name}/kernel"], self._weights[f"{name}/bias"]

    def _dense(self, features: Tensor, n: int) -> Tensor:
        name = _numbered("dense", n)
        return features @ self._weights[f"{name}/kernel"] + self._weights[f"{name}/bias"]

    def _normalise(self, features: Tensor, n: int) -> Tensor:
        mean, variance, scale, offset = (
            self._weights[f"{_numbered('batch_normalization', n)}/{part}"]
            for part in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return functional.batch_norm(features, mean, variance, scale, offset, eps=EPSILON)


def _same_padding(length: int) -> tuple[int, int]:
    """Return the frames that TensorFlow adds before and after, so that none is lost."""
    return (length - 1) // 2, length // 2


def _unfit(reason: str) -> UnsafeWeights:
    return UnsafeWeights(
        f"The weights are not those of musicnn: {reason}.",
        hint="Import them again from their wheel.",
        field="model",
    )
