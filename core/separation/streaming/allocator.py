"""Freed memory that is kept for the next segment instead of going back to the system and returning.

A network allocates the same few hundred megabytes again for every segment. glibc gives blocks of
that size back at once, and the kernel clears them page by page when they return: about a tenth of
a CPU separation. Other systems' allocators are left alone.
"""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_KEPT_BYTES = 1 << 30
_USUAL_BYTES = 32 << 20  # where glibc's own, moving threshold ends


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep freed memory in the process while the block runs; give it back at its end.

    Holds for the whole process; the peak of its memory stays what it was.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
    libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    try:
        yield
    finally:
        libc.mallopt(_M_MMAP_THRESHOLD, _USUAL_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _USUAL_BYTES)
        libc.malloc_trim(0)
