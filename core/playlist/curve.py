"""Energy curve: the wanted energy over the course of a set.

A curve is a piecewise linear function through points (progress, energy): progress runs from 0 at
the start of the set to 1 at its end, energy from 1 to 10 as in the analysis.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidOption
from core.playlist.harmony import NEUTRAL
from core.playlist.windows import Floats
from stemcrate.schemas.curves import NAMED_CURVES, CurveName, Points

HALF_FIT_STEP = 2.0
"""Distance from the wanted energy at which the fit is 0.5. The fit decreases strictly with the
distance, so that the nearest tracks are taken where no track fits."""


@dataclass(frozen=True, slots=True)
class EnergyCurve:
    """Points (progress, energy), progress ascending within 0 to 1."""

    points: Points

    def energy_at(self, progress: Floats) -> Floats:
        """Return the wanted energy; constant before the first point and after the last."""
        places, energies = zip(*self.points, strict=True)
        energy: Floats = np.interp(progress, places, energies)
        return energy

    def rate(self, energy: Floats, progress: Floats) -> Floats:
        """Return the fit of tracks at their positions, 0 to 1; `NEUTRAL` for NaN energy."""
        missed = (energy - self.energy_at(progress)) / HALF_FIT_STEP
        return np.where(np.isnan(missed), NEUTRAL, 1.0 / (1.0 + missed * missed))


def make_curve(curve: str | Points, energies: Floats) -> EnergyCurve:
    """Make a curve from its name or its points.

    Parameters
    ----------
    curve : one of `CurveName`, or points with ascending progress, 0 to 1, and energy 1 to 10.
    energies : of the tracks to choose from; ``flat`` is their median, 5.5 if all are unknown.

    Raises
    ------
    InvalidOption : unknown curve name, or points that do not form a curve.
    """
    if not isinstance(curve, str):
        return EnergyCurve(_check_points(curve))
    if curve not in tuple(CurveName):
        raise InvalidOption(
            f"'{curve}' is not an energy curve.",
            hint=f"Choose one of {', '.join(CurveName)}, or points.",
            field="curve",
        )
    if curve == CurveName.FLAT:
        known = energies[~np.isnan(energies)]
        return EnergyCurve(((0.0, float(np.median(known)) if len(known) else 5.5),))
    return EnergyCurve(NAMED_CURVES[CurveName(curve)])


def _check_points(points: Points) -> Points:
    progress = [place for place, _ in points]
    is_rising = all(a < b for a, b in itertools.pairwise(progress))
    is_inside = all(0 <= place <= 1 and 1 <= energy <= 10 for place, energy in points)
    if not points or not is_rising or not is_inside:
        raise InvalidOption(
            f"{list(points)} is not an energy curve.",
            hint="Use points (progress, energy): ascending progress, 0 to 1, and energy 1 to 10.",
            field="curve",
        )
    return tuple((float(place), float(energy)) for place, energy in points)
