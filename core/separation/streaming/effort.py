"""Effort of a separation: presets and their settings.

Cost is counted in runs of the network over the mixture's length, relative to ``balanced``:

    fast        0.83   segments overlap by a tenth
    balanced    1      segments overlap by a quarter, one pass: as ``demucs``, without its random
                       shift
    best        2      two passes, the second half a second later, averaged

Test-time augmentation adds two passes; the cost of the Wiener filter is negligible.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stemcrate.schemas.options import Preset


@dataclass(frozen=True, slots=True)
class Effort:
    """Settings of a separation beyond one plain pass.

    Attributes
    ----------
    overlap : share of a segment that the next one covers, in [0, 0.5]; for models that take
        segments.
    shifts : number of averaged passes, each delayed by another fraction of half a second; at
        least 1.
    augment : two more passes, channels swapped and polarity inverted (test-time augmentation).
    wiener : refine the stems' magnitudes by their share of the mixture's power
        (`core.separation.streaming.wiener`).
    """

    overlap: float = 0.25
    shifts: int = 1
    augment: bool = False
    wiener: bool = False


PRESETS: Mapping[Preset, Effort] = MappingProxyType(
    {"fast": Effort(overlap=0.1), "balanced": Effort(), "best": Effort(shifts=2)}
)
