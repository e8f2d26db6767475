"""Lines of the log that cannot repeat without limit: they would overwrite all others."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_LINES = 100
"""Lines that a place in the code may log within `PERIOD_S`."""
PERIOD_S = 10.0
UNLIMITED = {"is_unlimited": True}
"""``extra`` of records of which none may be left out."""


@dataclass(slots=True)
class _Place:
    """A place in the code that logs, in its current period."""

    since: float
    n_lines: int = 0
    last_left_out: logging.LogRecord | None = None


class RepeatLimiter(logging.Handler):
    """Passes records on, at most `MAX_LINES` of each place in the code in `PERIOD_S`.

    How many were left out is said with the first line after that.

    Parameters
    ----------
    targets : handlers that write the records.
    clock : gives seconds.
    """

    def __init__(
        self, targets: Sequence[logging.Handler], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._targets = tuple(targets)
        self._clock = clock
        self._places: dict[tuple[str, int], _Place] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on, or count it."""
        now = self._clock()
        self._end_periods(now - PERIOD_S)
        place = self._places.setdefault((record.pathname, record.lineno), _Place(now))
        place.n_lines += 1
        if place.n_lines <= MAX_LINES or getattr(record, "is_unlimited", False):
            self._pass_on(record)
        else:
            place.last_left_out = record

    def close(self) -> None:
        """Say what was left out, and close the handlers behind this one."""
        self.acquire()
        try:
            self._end_periods(float("inf"))
        finally:
            self.release()
        for target in self._targets:
            target.close()
        super().close()

    def _end_periods(self, began_before: float) -> None:
        ended = [key for key, place in self._places.items() if place.since <= began_before]
        for place in [self._places.pop(key) for key in ended]:
            last = place.last_left_out
            if last is not None:
                last.msg = f"{place.n_lines - MAX_LINES} more lines like: {last.getMessage()}"
                last.args, last.exc_info, last.exc_text = None, None, None
                self._pass_on(last)

    def _pass_on(self, record: logging.LogRecord) -> None:
        for target in self._targets:
            target.handle(record)
