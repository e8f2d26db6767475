"""Looks for new events of all jobs that are followed, in one query for all of them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.concurrency import run_in_threadpool

from core.errors import DatabaseUnavailable
from core.jobs.progress import ProgressLog

logger = logging.getLogger(__name__)


class EventWatch:
    """Wakes the streams of a job when its log has changed.

    Two hundred streams that each asked the database four times a second left it no time for
    anything else. Lives in the event loop of one server.
    """

    def __init__(self, log: ProgressLog) -> None:
        self._log = log
        self._followers: Counter[str] = Counter()
        self._newest: dict[str, int] = {}
        self._looked = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._reads: dict[tuple[str, int], asyncio.Task[Any]] = {}

    @contextmanager
    def following(self, job_id: str, every_s: float) -> Iterator[None]:
        """Look for news of a job every ``every_s`` seconds while the block runs."""
        self._followers[job_id] += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look(every_s))
        try:
            yield
        finally:
            self._followers[job_id] -= 1
            if not self._followers[job_id]:
                del self._followers[job_id]
                self._newest.pop(job_id, None)

    async def wait_for_news(self, job_id: str, seq: int, patience_s: float) -> None:
        """Wait until a job's log no longer ends with ``seq``, ``patience_s`` seconds at most."""
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    await self._looked.wait()
                    if self._newest.get(job_id) != seq:
                        return
        except TimeoutError:
            return

    async def read_once(self, key: tuple[str, int], read: Callable[[], Any]) -> Any:
        """Return what ``read`` returns in a thread; who asks for the same meanwhile gets it too."""
        task = self._reads.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(run_in_threadpool(read))
            self._reads[key] = task
            task.add_done_callback(lambda _: self._reads.pop(key, None))
        return await asyncio.shield(task)

    async def _look(self, every_s: float) -> None:
        while self._followers:
            await asyncio.sleep(every_s)
            try:
                self._newest = await run_in_threadpool(self._log.newest, list(self._followers))
            except DatabaseUnavailable as error:
                logger.warning("cannot look for events: %s", error)
                self._newest = {}  # each stream asks for itself, and ends
            self._looked.set()
            self._looked = asyncio.Event()
