"""How long a stage will take, from how it has gone."""

import time
from collections.abc import Callable

MIN_ELAPSED_S = 1.0
MIN_PROGRESS = 0.01


class Pace:
    """Estimates the seconds that are left of work which tells its fraction.

    The clock starts at the first report, so that loading a model counts for nothing, and the first
    fraction is where it starts from, so that neither does what an earlier attempt has done.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start: tuple[float, float] | None = None

    def eta_s(self, fraction: float) -> float | None:
        """Take a fraction, 0 to 1; give the seconds that are left, None while that is unknown."""
        moment = self._clock()
        if self._start is None:
            self._start = (moment, fraction)
        elapsed_s, done = moment - self._start[0], fraction - self._start[1]
        if elapsed_s < MIN_ELAPSED_S or done < MIN_PROGRESS:
            return None
        return round(elapsed_s * (1 - fraction) / done, 1)
