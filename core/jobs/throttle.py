"""Progress at a pace that a database and a browser can follow."""

import time
from collections.abc import Callable

MIN_INTERVAL_S = 0.5


class Throttle:
    """Let a fraction pass at most every ``interval_s``, and never one that is lower."""

    def __init__(
        self,
        report: Callable[[float], None],
        *,
        interval_s: float = MIN_INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._interval_s = interval_s
        self._clock = clock
        self._reported_at = float("-inf")
        self._fraction = -1.0  # the very first report passes: it starts the clock of an ETA

    def __call__(self, fraction: float) -> None:
        """Report ``fraction`` if it is time."""
        moment = self._clock()
        if fraction <= self._fraction or moment - self._reported_at < self._interval_s:
            return
        self._reported_at = moment
        self._fraction = fraction
        self._report(fraction)
