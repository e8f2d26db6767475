"""How long work reports and stops: functions that callers pass down to it."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Takes the fraction that is done, 0 to 1."""
Cancelled = Callable[[], bool]
"""Returns whether the work should stop."""


def ignore_progress(_: float) -> None:
    """Take the progress of work that nobody watches."""
