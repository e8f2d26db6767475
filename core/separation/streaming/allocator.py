"""Allocator tuning: keep freed memory in the process for the next segment.

A network allocates the same few hundred megabytes for every segment. glibc returns blocks of that
size to the system at once, and the kernel clears their pages on the next allocation: about a tenth
of a CPU separation. Other allocators are not changed.
"""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_KEPT_BYTES = 1 << 30
_USUAL_BYTES = 32 << 20  # upper limit of glibc's dynamic threshold


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep freed memory in the process while the block runs; release it at its end.

    Affects the whole process; its peak memory does not change.
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
