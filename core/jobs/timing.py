"""Clocks around a running stage: progress throttling, remaining time, and the watchdog."""

import time
from collections.abc import Callable

MIN_INTERVAL_S = 0.5
MIN_ELAPSED_S = 1.0
MIN_PROGRESS = 0.01


class Throttle:
    """Pass on a fraction at most every ``interval_s``, and never a lower one than before."""

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
        """Report ``fraction``, in 0 to 1, if the interval has passed."""
        moment = self._clock()
        if fraction <= self._fraction or moment - self._reported_at < self._interval_s:
            return
        self._reported_at = moment
        self._fraction = fraction
        self._report(fraction)


class EtaEstimator:
    """Estimates the remaining seconds of work from the fractions that it reports.

    The clock starts at the first report, which excludes the time to load a model. Progress counts
    from the first fraction, which excludes what an earlier attempt has done.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start: tuple[float, float] | None = None

    def eta_s(self, fraction: float) -> float | None:
        """Return the remaining seconds at ``fraction`` (0 to 1); None while unknown."""
        moment = self._clock()
        if self._start is None:
            self._start = (moment, fraction)
        elapsed_s, done = moment - self._start[0], fraction - self._start[1]
        if elapsed_s < MIN_ELAPSED_S or done < MIN_PROGRESS:
            return None
        return round(elapsed_s * (1 - fraction) / done, 1)


class Watchdog:
    """Expires ``silence_s`` seconds after the last sign of life; 0 disables it."""

    def __init__(self, silence_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._silence_s = silence_s
        self._clock = clock
        self._reset_at = clock()

    def reset(self) -> None:
        """Record a sign of life."""
        self._reset_at = self._clock()

    @property
    def is_expired(self) -> bool:
        """Whether the stage has been silent for too long."""
        return bool(self._silence_s) and self._clock() - self._reset_at >= self._silence_s
