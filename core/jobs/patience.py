"""How long a stage may say nothing before it counts as stuck."""

import time
from collections.abc import Callable


class Patience:
    """Ends ``silence_s`` seconds after the last word; never with 0."""

    def __init__(self, silence_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._silence_s = silence_s
        self._clock = clock
        self._heard_at = clock()

    def hear(self) -> None:
        """Begin anew: the stage said something."""
        self._heard_at = self._clock()

    @property
    def is_over(self) -> bool:
        """Whether nothing was heard for too long."""
        return bool(self._silence_s) and self._clock() - self._heard_at >= self._silence_s
