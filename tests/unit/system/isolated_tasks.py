"""What the tests of processes of their own let these do; a process finds them by name."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from core.errors import NotAudio

_prepared: list[str] = []


def prepare() -> None:
    _prepared.append("yes")


def is_prepared() -> list[str]:
    return _prepared


def pid() -> int:
    return os.getpid()


def refuse(name: str) -> None:
    raise NotAudio(name, hint="a hint")


def defect() -> None:
    raise KeyError("oops")


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    time.sleep(3600)


def spin() -> None:
    while True:
        pass


def bloat() -> int:
    return len(bytearray(1 << 31))


def count(n: int) -> Iterator[int]:
    yield from range(n)


def count_then_hang() -> Iterator[int]:
    yield 0
    time.sleep(3600)


def open_missing(path: Path) -> None:
    path.open()
