"""What owners used, counted in the database: the same for all API processes.

A row for each owner and quota. Windows are fixed: minutes and days of UTC.
"""

import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.access.store import prepare
from core.access.tables import owner_usage
from core.errors import QuotaExceeded
from core.system.database import is_sqlite, transaction
from stemcrate.schemas.quotas import Allowance, Policy

HELD_RETRY_S = 60
"""When to ask again for what is held, such as places of jobs: nobody knows when it is given back"""


class UsageCounts:
    """The counts of one database. Safe for several threads and processes.

    Parameters
    ----------
    clock : seconds since the epoch, the same for all processes.
    """

    def __init__(self, database_url: str, *, clock: Callable[[], float] = time.time) -> None:
        self._url = database_url
        self._clock = clock

    def take(self, owner: str, policy: Policy, amount: int) -> Allowance:
        """Count ``amount`` of a quota with a window, or nothing if less is left.

        Raises `QuotaExceeded`, `DatabaseUnavailable`.
        """
        start_s, reset_s = self._window(policy)
        used = self._add(owner, policy, start_s, amount) if amount <= policy.quota else None
        if used is None:
            raise refusal(self.look(owner, policy))
        return Allowance(policy=policy, available=policy.quota - used, reset_s=reset_s)

    def look(self, owner: str, policy: Policy) -> Allowance:
        """Return what is left of a quota with a window. Raises `DatabaseUnavailable`."""
        start_s, reset_s = self._window(policy)
        left = policy.quota - self._used(owner, policy, start_s)
        return Allowance(policy=policy, available=max(0, left), reset_s=reset_s)

    def _window(self, policy: Policy) -> tuple[int, int]:
        """Return when the window of now began, and in how many seconds it ends."""
        assert policy.window_s is not None
        now_s = int(self._clock())
        start_s = now_s - now_s % policy.window_s
        return start_s, start_s + policy.window_s - now_s

    def _add(self, owner: str, policy: Policy, start_s: int, amount: int) -> int | None:
        """Add to a count; return it, None if it would pass the quota."""
        insert = sqlite.insert if is_sqlite(self._url) else postgresql.insert
        rows = owner_usage.c
        # The clock of another process may be ahead: the later window holds.
        is_same = rows.window_start_s >= start_s
        total = sa.case((is_same, rows.used), else_=0) + amount
        statement = (
            insert(owner_usage)
            .values(owner=owner, policy=policy.name, window_start_s=start_s, used=amount)
            .on_conflict_do_update(
                index_elements=[rows.owner, rows.policy],
                set_={
                    "used": total,
                    "window_start_s": sa.case((is_same, rows.window_start_s), else_=start_s),
                },
                where=total <= policy.quota,
            )
            .returning(rows.used)
        )
        prepare(self._url)
        with transaction(self._url) as connection:
            used = connection.scalar(statement)
        return None if used is None else int(used)

    def _used(self, owner: str, policy: Policy, start_s: int) -> int:
        rows = owner_usage.c
        query = sa.select(rows.used).where(
            rows.owner == owner, rows.policy == policy.name, rows.window_start_s >= start_s
        )
        prepare(self._url)
        with transaction(self._url) as connection:
            return int(connection.scalar(query) or 0)


def refusal(left: Allowance) -> QuotaExceeded:
    """Return the error for a request that needs more than what is left of a quota."""
    policy = left.policy
    window = {None: "", 60: " in a minute", 86_400: " in a day"}[policy.window_s]
    what = policy.name.replace("-", " ")
    return QuotaExceeded(
        f"This owner may have {policy.quota} {what}{window}; {left.available} are left.",
        hint=_HINTS[policy.name],
        left=left,
        retry_after_s=HELD_RETRY_S if left.reset_s is None else left.reset_s,
    )


_HINTS = {
    "requests": "Wait for the seconds in Retry-After, and follow jobs by their events.",
    "jobs": "Wait until some have ended, or cancel some.",
    "upload-bytes": "Send the rest tomorrow (UTC).",
    "audio-seconds": "Submit the rest tomorrow (UTC).",
    "disk-bytes": "Delete jobs that are no longer needed.",
}
