"""Work in a process of its own that can be killed: for files of strangers, and for what may crash.

The process is started when it is first needed and stays for the next task. It is killed when a task
takes too long, and ends when it takes too much memory or when its parent dies; the next task then
starts another. Decisions 5 and 12 say what runs in such processes.
"""

import atexit
import logging
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar
from weakref import WeakSet

from core.errors import StageFailed, StemcrateError
from core.system.defects import describe_defect
from core.system.processes import (
    leave_stops_to_parent,
    limit_cpu,
    limit_memory,
    stops_blocked,
)

logger = logging.getLogger(__name__)
R = TypeVar("R")

OUT_OF_MEMORY = 78  # exit code, outside of what Python and shells use

_spawn = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What a task may take; None is no limit.

    ``silence_s`` is the longest time without a result, or without the next item of a stream;
    ``memory_bytes`` the address space on top of what the process has before its first task.
    """

    silence_s: float | None = None
    memory_bytes: int | None = None


class ProcessDied(Exception):
    """The process ended before its task did; the message says how, as in "it crashed (SIGSEGV)"."""


class ProcessTimedOut(ProcessDied):
    """The task gave no sign of life for too long, and its process was killed."""


@dataclass(frozen=True, slots=True)
class _Item:
    value: Any


@dataclass(frozen=True, slots=True)
class _Returned:
    value: Any


@dataclass(frozen=True, slots=True)
class _Failed:
    error: StemcrateError
    defect: str  # a traceback, where the error stands for one


class IsolatedProcess:
    """One process that does one task at a time. Not for two threads at once, but for `close`.

    Parameters
    ----------
    prepare : a function of a module that the process calls when it starts, before limits apply: it
        loads what every task needs.
    """

    def __init__(self, limits: ProcessLimits, prepare: Callable[[], None] | None = None) -> None:
        self._limits = limits
        self._prepare = prepare
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection[Any, Any] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process, None when there is none."""
        return self._process.pid if self._process is not None else None

    def call(self, function: Callable[..., R], *arguments: object) -> R:
        """Return what a function returns there.

        Parameters
        ----------
        function : of a module, so that the process can find it; ``arguments`` can be pickled.

        Raises
        ------
        ProcessTimedOut, ProcessDied : the task ended with its process.
        StemcrateError : what the function raised; `StageFailed` for anything else, which is logged.
        """
        for message in self._converse(function, arguments):
            if isinstance(message, _Returned):
                result: R = message.value
                return result
        raise AssertionError("a conversation ends with a result")

    def stream(
        self, function: Callable[..., Iterator[R]], *arguments: object
    ) -> Generator[R, None, None]:
        """Yield what a generator function yields there; it goes on only as items are taken.

        Closing the stream before its end kills the process. Parameters and errors as for `call`.
        """
        for message in self._converse(function, arguments):
            if isinstance(message, _Item):
                yield message.value

    def close(self) -> None:
        """Kill the process. May be called while another thread waits for it: that one then raises.

        A later task starts another process.
        """
        process = self._process
        if process is not None:
            process.kill()
            process.join()

    def _converse(
        self, function: Callable[..., Any], arguments: tuple[object, ...]
    ) -> Iterator[_Item | _Returned]:
        is_over = False
        try:
            connection = self._ensure_started()
            connection.send((function, arguments))
            while not is_over:
                if not wait([connection], self._limits.silence_s):
                    raise ProcessTimedOut(f"it took more than {self._limits.silence_s:g} s")
                message = connection.recv()
                is_over = not isinstance(message, _Item)
                if isinstance(message, _Failed):
                    if message.defect:
                        logger.error("a defect in a process of its own:\n%s", message.defect)
                    raise message.error
                yield message
        except (EOFError, OSError) as error:
            raise ProcessDied(self._describe_end()) from error
        finally:
            if not is_over:  # it may still work on this task, and must not answer the next
                self._discard()

    def _ensure_started(self) -> "Connection[Any, Any]":
        if self._process is not None and self._process.is_alive() and self._connection is not None:
            return self._connection
        self._discard()
        connection, theirs = _spawn.Pipe()
        self._process = _spawn.Process(
            target=_serve, args=(theirs, self._limits, self._prepare), daemon=True
        )
        with stops_blocked():
            self._process.start()
        _open.add(self)
        theirs.close()
        self._connection = connection
        connection.recv()  # it is ready: a slow start is not the task's
        return connection

    def _discard(self) -> None:
        self.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _describe_end(self) -> str:
        assert self._process is not None
        self._process.join(timeout=1.0)
        code = self._process.exitcode
        if code == OUT_OF_MEMORY:
            return "it took too much memory"
        if code is not None and code < 0:
            return f"it crashed ({signal.Signals(-code).name})"
        return f"it ended with code {code}"


def _wind_up(limits: ProcessLimits) -> None:
    """Limit the next step's CPU time by the kernel, in case the parent does not."""
    if limits.silence_s is not None:
        limit_cpu(limits.silence_s)


_open: "WeakSet[IsolatedProcess]" = WeakSet()


@atexit.register
def _close_all() -> None:
    """Kill the processes before multiprocessing waits for them at the exit of this one."""
    for process in list(_open):
        process.close()


def _end_with_parent() -> None:
    """Leave signals that stop to the parent of this process, and end when it dies."""
    leave_stops_to_parent()
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _serve(
    connection: "Connection[Any, Any]",
    limits: ProcessLimits,
    prepare: Callable[[], None] | None,
) -> None:
    _end_with_parent()
    if prepare is not None:
        prepare()
    if limits.memory_bytes is not None:
        limit_memory(limits.memory_bytes)
    connection.send(None)
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        try:
            _wind_up(limits)
            result = function(*arguments)
            if isinstance(result, Iterator):
                for item in result:
                    connection.send(_Item(item))
                    _wind_up(limits)
                result = None
            connection.send(_Returned(result))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except StemcrateError as error:
            connection.send(_Failed(error, ""))
        except Exception as error:  # noqa: BLE001  logged and raised by the parent
            defect = StageFailed(
                describe_defect(error),
                hint="This is a defect: please report it with the file.",
            )
            connection.send(_Failed(defect, traceback.format_exc()))
