"""Ids of jobs, which sort by time, so that a page of the history needs no other order."""

import secrets
import time
import uuid


def new_job_id(at_ms: int | None = None) -> str:
    """Return a new job id: a UUIDv7 (RFC 9562), which sorts by creation time."""
    milliseconds = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def age_s(job_id: str) -> float:
    """Return how long ago a job was created, as its id says."""
    return time.time() - (uuid.UUID(job_id).int >> 80) / 1000


def is_job_id(text: str) -> bool:
    """Return whether ``text`` has the form of a job id; nothing else is used in a path."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
