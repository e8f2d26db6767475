"""Standardisation of the mixture: mean 0 and standard deviation 1 of its mono mix."""

import torch
from torch import Tensor

from core.separation.streaming.mixture import StereoMixture


class Scale:
    """Mean and standard deviation of a mixture, measured in one pass.

    Reference: Chan, Golub, LeVeque, "Algorithms for Computing the Sample Variance", 1983.
    """

    def __init__(self, mixture: StereoMixture) -> None:
        self._read = mixture.read
        n, mean, squares = 0, 0.0, 0.0
        for block in mixture.blocks():
            mono = block.mean(axis=0, dtype="float64")
            step = float(mono.mean()) - mean
            added = len(mono)
            squares += float(((mono - mono.mean()) ** 2).sum()) + step**2 * n * added / (n + added)
            mean += step * added / (n + added)
            n += added
        self.mean = torch.tensor(mean, dtype=torch.float32)
        # One sample has no standard deviation.
        deviation = (squares / (n - 1)) ** 0.5 if n > 1 else 0.0
        self.std = torch.tensor(deviation, dtype=torch.float32) + 1e-8

    def read(self, start: int, stop: int) -> Tensor:
        """Return samples of the scaled mixture, shape ``(2, stop - start)``."""
        return (torch.from_numpy(self._read(start, stop)) - self.mean) / self.std

    def undo(self, stems: Tensor) -> Tensor:
        """Scale stems back to the level of the mixture."""
        return stems * self.std + self.mean
