"""Work in a process of its own: whatever becomes of it, the caller gets an answer and goes on."""

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from core.errors import NotAudio, StageFailed
from core.system.isolation import IsolatedProcess, ProcessDied, ProcessLimits, ProcessTimedOut
from tests.conditions import wait_until
from tests.processes import is_running
from tests.unit.system import isolated_tasks

pytestmark = pytest.mark.slow


@pytest.fixture
def process() -> Iterator[IsolatedProcess]:
    process = IsolatedProcess(ProcessLimits(60.0, 1 << 28), isolated_tasks.prepare)
    yield process
    process.close()


def test_the_process_stays_for_the_next_task(process: IsolatedProcess) -> None:
    pid = process.call(isolated_tasks.pid)
    assert pid != os.getpid()
    with pytest.raises(NotAudio) as refusal:
        process.call(isolated_tasks.refuse, "song")
    assert (refusal.value.message, refusal.value.hint) == ("song", "a hint")
    with pytest.raises(StageFailed, match="KeyError"):
        process.call(isolated_tasks.defect)
    assert list(process.stream(isolated_tasks.count, 3)) == [0, 1, 2]
    assert process.call(isolated_tasks.is_prepared) == ["yes"]
    assert process.call(isolated_tasks.pid) == pid


@pytest.mark.parametrize(
    ("task", "words"),
    [(isolated_tasks.crash, "SIGSEGV"), (isolated_tasks.bloat, "too much memory")],
)
def test_a_process_that_dies_is_described_and_replaced(
    process: IsolatedProcess, task: Callable[[], object], words: str
) -> None:
    """A crash in native code must cost one task, and say what it was."""
    with pytest.raises(ProcessDied, match=words):
        process.call(task)
    assert process.call(isolated_tasks.is_prepared) == ["yes"]


def test_a_task_that_hangs_is_killed() -> None:
    """Were it left alone, its place would be taken for ever."""
    process = IsolatedProcess(ProcessLimits(0.2))
    with pytest.raises(ProcessTimedOut, match=r"0\.2 s"):
        process.call(isolated_tasks.hang)
    assert process.pid is None
    items = process.stream(isolated_tasks.count_then_hang)
    assert next(items) == 0
    with pytest.raises(ProcessTimedOut):
        next(items)


def test_the_kernel_ends_a_task_whose_parent_does_not_watch(process: IsolatedProcess) -> None:
    """A stopped parent must not leave a process that spins for days."""
    process = IsolatedProcess(ProcessLimits(0.5))
    process.call(isolated_tasks.pid)
    spinning = process.pid
    assert spinning is not None
    process._limits = ProcessLimits()  # the parent waits for as long as it takes
    with pytest.raises(ProcessDied, match="SIGXCPU"):
        process.call(isolated_tasks.spin)
    assert not is_running(spinning)


def test_a_stream_that_is_given_up_ends_its_process(process: IsolatedProcess) -> None:
    items = process.stream(isolated_tasks.count, 1_000_000)
    assert next(items) == 0
    pid = process.pid
    assert pid is not None
    items.close()  # type: ignore[attr-defined]  # a generator
    wait_until(lambda: not is_running(pid))


def test_closing_ends_a_wait_in_another_thread(process: IsolatedProcess) -> None:
    """A client leaves while a thread waits for the next bytes."""
    ended: list[BaseException] = []

    def take() -> None:
        try:
            process.call(isolated_tasks.hang)
        except ProcessDied as error:
            ended.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    wait_until(lambda: process.pid)
    process.close()
    thread.join()
    assert len(ended) == 1


def test_a_process_that_died_between_two_tasks_is_replaced(process: IsolatedProcess) -> None:
    process.call(isolated_tasks.pid)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # its last thread, too, is gone
    assert process.call(isolated_tasks.pid) == process.pid  # started again by itself
