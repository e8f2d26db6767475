"""Waiting for what a job's records need: room on the disk, the database, and the object store."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from core.errors import DatabaseUnavailable, StemcrateError, StorageFull, StorageUnavailable

logger = logging.getLogger(__name__)

POLL_S = 1.0
SAY_AGAIN_S = 60.0

T = TypeVar("T")
_MISSING: dict[type[StemcrateError], str] = {
    StorageFull: "room",
    DatabaseUnavailable: "the database",
    StorageUnavailable: "the object store",
}


def patiently(work: Callable[[], T]) -> T:
    """Do what records the state of a job; without room, database or object store, try again.

    An error would leave the job to the engine, which has no room either, or end it for a reason
    that passes.
    """
    said_at = float("-inf")
    while True:
        try:
            return work()
        except tuple(_MISSING) as error:
            if time.monotonic() - said_at >= SAY_AGAIN_S:
                said_at = time.monotonic()
                what = _MISSING[type(error)]
                logger.warning("waiting for %s to record the state of a job: %s", what, error)
            time.sleep(POLL_S)
