"""Work in a process of its own: whatever becomes of it, the caller gets an answer and goes on."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.processes import is_running
from core.errors import NotAudio, StageFailed
from core.system.isolation import IsolatedProcess, ProcessDied, ProcessLimits, ProcessTimedOut
from core.system.processes import STOP_SIGNALS
from tests.conditions import PATIENCE_S, wait_until
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


def test_a_defect_names_no_folder(process: IsolatedProcess, tmp_path: Path) -> None:
    """The API answers with it, and clients need not know where this machine keeps its files."""
    with pytest.raises(StageFailed, match=r"FileNotFoundError: .*'audio'") as raised:
        process.call(isolated_tasks.open_missing, tmp_path / "audio")
    assert str(tmp_path) not in raised.value.message


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
    items.close()
    wait_until(lambda: not is_running(pid))


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_whoever_stops_the_group_leaves_the_task_to_its_parent(
    process: IsolatedProcess, number: signal.Signals
) -> None:
    """A stop of the worker said that the file was broken, and left it out of the library."""
    pids: list[int] = []
    thread = threading.Thread(target=lambda: pids.append(process.call(isolated_tasks.pid)))
    thread.start()
    starting = wait_until(lambda: process.pid)
    assert starting is not None
    os.kill(starting, number)
    thread.join()
    os.kill(starting, number)
    assert [*pids, process.call(isolated_tasks.pid)] == [starting, starting]


def test_a_program_that_ends_does_not_wait_for_its_processes() -> None:
    """They ignore the SIGTERM by which multiprocessing ends what was left open."""
    program = (
        "import os\n"
        "from core.system.isolation import IsolatedProcess, ProcessLimits\n"
        "if __name__ == '__main__':\n"
        "    process = IsolatedProcess(ProcessLimits())\n"
        "    print(process.call(os.getpid))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        timeout=PATIENCE_S,
        check=True,
    )
    assert not is_running(int(ended.stdout))


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
