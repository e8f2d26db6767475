"""The keys as a server knows them: read from the database at most once a second.

A revoked key thus works for a second at most. While the database is away, the keys that were read
last go on for `STALE_S`, so that an outage of a minute locks nobody out.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from core.access.keys import ApiKey, has_secret, read_key
from core.access.store import KeyStore
from core.errors import DatabaseUnavailable
from core.system.clock import now

FRESH_S = 1.0
STALE_S = 300.0
NOTE_USE_EVERY = timedelta(minutes=1)


class KeyRing:
    """The keys of one installation. Safe for many threads."""

    def __init__(self, store: KeyStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._keys: dict[str, ApiKey] = {}
        self._read_at = float("-inf")
        self._lock = threading.Lock()
        self._noting = threading.Lock()

    def has_at_hand(self, text: str | None) -> bool:
        """Return whether what is asked of this key, or of none, is answered without a database."""
        if self._read_at < self._clock() - FRESH_S:
            return False
        parts = read_key(text or "")
        return parts is None or parts[0] in self._keys

    def has_keys(self) -> bool:
        """Return whether a key was ever made; one that has ended counts.

        Raises `DatabaseUnavailable` if that was never known.
        """
        asked_at = self._clock()
        self._refresh(asked_at - FRESH_S, usable_since=-sys.float_info.max)
        return bool(self._keys)

    def find(self, text: str) -> ApiKey | None:
        """Return the valid key with this text. Raises `DatabaseUnavailable`."""
        parts = read_key(text)
        if parts is None:
            return None
        asked_at = self._clock()
        self._refresh(asked_at - FRESH_S, usable_since=asked_at - STALE_S)
        key_id, secret = parts
        if key_id not in self._keys:  # it may be new
            self._refresh(asked_at, usable_since=asked_at)
        key = self._keys.get(key_id)
        at = now()
        if not has_secret(key, secret) or key is None or not key.is_valid(at):
            return None
        if key.last_used_at is None or at - key.last_used_at > NOTE_USE_EVERY:
            self._note_use(key)
        return key

    def _refresh(self, since: float, *, usable_since: float) -> None:
        """Read the keys unless they were read since then; one thread reads for all that wait.

        What was read after ``usable_since`` does while another thread reads, and while the
        database does not answer. Raises `DatabaseUnavailable`.
        """
        if self._read_at >= since:
            return
        is_usable = self._read_at >= usable_since
        if not self._lock.acquire(blocking=not is_usable):
            return
        try:
            if self._read_at < since:
                began_at = self._clock()
                self._keys = {key.id: key for key in self._store.all()}
                self._read_at = began_at
        except DatabaseUnavailable:
            if not is_usable:
                raise
        finally:
            self._lock.release()

    def _note_use(self, key: ApiKey) -> None:
        """Record the use in a thread: no request waits for a database that is written to."""
        if self._noting.acquire(blocking=False):
            threading.Thread(target=self._write_use, args=(key.id,), daemon=True).start()

    def _write_use(self, key_id: str) -> None:
        try:
            with suppress(DatabaseUnavailable):  # the next use is noted
                self._store.note_use(key_id, now())
        finally:
            self._noting.release()
