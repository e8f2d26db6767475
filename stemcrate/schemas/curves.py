"""Energy curves by name: the wanted energy over the course of a set.

Points are (progress, energy): progress runs from 0 at the start of the set to 1 at its end, energy
from 1 to 10 as in the analysis.
"""

from enum import StrEnum

Points = tuple[tuple[float, float], ...]


class CurveName(StrEnum):
    """Names of the predefined curves; `FLAT` is the median of the tracks to choose from."""

    WARM_UP = "warm-up"
    PEAK = "peak"
    COOL_DOWN = "cool-down"
    WAVE = "wave"
    FLAT = "flat"


NAMED_CURVES: dict[CurveName, Points] = {
    CurveName.WARM_UP: ((0.0, 3.0), (1.0, 7.0)),
    CurveName.PEAK: ((0.0, 6.0), (0.7, 9.0), (1.0, 8.0)),
    CurveName.COOL_DOWN: ((0.0, 7.0), (1.0, 3.0)),
    CurveName.WAVE: ((0.0, 5.0), (0.25, 8.0), (0.5, 5.0), (0.75, 8.0), (1.0, 6.0)),
}
