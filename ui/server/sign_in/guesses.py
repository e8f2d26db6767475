"""A limit on wrong passwords."""

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_WRONG = 5
WINDOW_S = 60.0
MAX_ADDRESSES = 10_000


class Guesses:
    """Counts the wrong passwords of each address; those older than `WINDOW_S` are forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def may_try(self, address: str) -> bool:
        """Return whether a password from this address is looked at."""
        return len(self._recent(address)) < MAX_WRONG

    def note_wrong(self, address: str) -> None:
        """Count a wrong password."""
        self._wrong[address] = [*self._recent(address), self._clock()]
        self._wrong.move_to_end(address)
        while len(self._wrong) > MAX_ADDRESSES:
            self._wrong.popitem(last=False)

    def _recent(self, address: str) -> list[float]:
        since = self._clock() - WINDOW_S
        return [at for at in self._wrong.get(address, []) if at > since]
