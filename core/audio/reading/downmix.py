"""Multichannel to stereo with the coefficients of ITU-R BS.775."""

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples

_MINUS_3_DB = 0.7071
# (left, right) gain of each channel, named as FFmpeg names them. BS.775-3, table 2: centre and
# surrounds at -3 dB. Other channels follow its pattern: back and side pairs are
# surrounds alike, a single back centre goes to both sides with the power of one surround, the
# low-frequency effects channel is omitted as annex 7 recommends.
_GAINS: dict[str, tuple[float, float]] = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (_MINUS_3_DB, _MINUS_3_DB),
    "LFE": (0.0, 0.0),
    "BL": (_MINUS_3_DB, 0.0),
    "BR": (0.0, _MINUS_3_DB),
    "SL": (_MINUS_3_DB, 0.0),
    "SR": (0.0, _MINUS_3_DB),
    "BC": (0.5, 0.5),
    "FLC": (_MINUS_3_DB, 0.0),
    "FRC": (0.0, _MINUS_3_DB),
}
# Default order: that of WAVE_FORMAT_EXTENSIBLE and FLAC.
_DEFAULT_LAYOUTS: dict[int, tuple[str, ...]] = {
    3: ("FL", "FR", "FC"),
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FR", "FC", "SL", "SR"),
    6: ("FL", "FR", "FC", "LFE", "SL", "SR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


class Downmix:
    """A stereo down-mix of 3 to 8 channels.

    Parameters
    ----------
    n_channels : 3 to 8.
    layout : channel names in the file's order; None, or a layout with an unknown name, selects the
        usual layout of that many channels.

    Raises
    ------
    ValueError : fewer than 3 or more than 8 channels.
    """

    def __init__(self, n_channels: int, layout: tuple[str, ...] | None = None) -> None:
        if n_channels not in _DEFAULT_LAYOUTS:
            raise ValueError(f"cannot mix {n_channels} channels down")
        known = layout is not None and len(layout) == n_channels and set(layout) <= set(_GAINS)
        self._is_assumed = not known
        self.layout = layout if known and layout is not None else _DEFAULT_LAYOUTS[n_channels]
        gains = [_GAINS[name] for name in self.layout]
        self.matrix: NDArray[np.float32] = np.array(gains, dtype=np.float32).T

    def apply(self, block: Samples) -> Samples:
        """Mix a block ``(n_channels, n)`` to ``(2, n)``; the sum may exceed ±1."""
        # Channel by channel: the order of additions does not depend on the block's size.
        result = np.zeros((2, block.shape[1]), dtype=np.float32)
        for gains, channel in zip(self.matrix.T, block, strict=True):
            result += gains[:, None] * channel
        return result

    @property
    def description(self) -> str:
        """Coefficients as text, for the manifest."""
        sides = " ; ".join(
            f"{side} = {self._sum(row)}"
            for side, row in zip(("left", "right"), self.matrix, strict=True)
        )
        dropped = [name for name in self.layout if name == "LFE"]
        text = f"ITU-R BS.775 from {' '.join(self.layout)}: {sides}"
        text += "; LFE left out" if dropped else ""
        return text + (" (layout assumed: the file names none)" if self._is_assumed else "")

    def _sum(self, row: NDArray[np.float32]) -> str:
        terms = [
            name if gain == 1 else f"{gain:.4g} {name}"
            for name, gain in zip(self.layout, row.tolist(), strict=True)
            if gain
        ]
        return " + ".join(terms)
