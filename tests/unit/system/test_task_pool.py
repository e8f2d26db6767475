"""Many tasks, some bad: each has its own outcome, and nothing else suffers."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.processes import is_running, running
from core.errors import NotAudio, StageFailed, WorkerLost
from core.system.task_pool import TaskPool
from tests.conditions import wait_until
from tests.unit.system.pool_tasks import behave

ROOT = Path(__file__).parents[3]


def test_a_task_that_kills_its_process_is_found_and_the_others_are_done() -> None:
    """A decoder that crashes on one file in a thousand must not lose the other 999."""
    tasks = [f"good {n}" for n in range(8)]
    tasks[2:2] = ["refuse", "die", "defect"]
    outcomes = dict(TaskPool(behave, 2).run(tasks))
    assert set(outcomes) == set(tasks)
    assert isinstance(outcomes["refuse"], NotAudio)
    assert isinstance(outcomes["die"], WorkerLost)
    assert isinstance(outcomes["defect"], StageFailed)
    assert all(outcomes[task] == task.upper() for task in tasks if task.startswith("good"))


def test_no_tasks_need_no_process() -> None:
    assert list(TaskPool(behave, 2).run([])) == []


def test_tasks_are_taken_as_they_are_needed() -> None:
    """A hundred thousand files must not be hashed before the first is analysed."""
    taken = []

    def tasks() -> Iterator[str]:
        for n in range(50):
            taken.append(n)
            yield f"{n}"

    run: Any = TaskPool(behave, 1).run(tasks())
    next(run)
    assert len(taken) < 10
    run.close()


def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    """An import that was killed must not go on in the background."""
    code = (
        "from core.system.task_pool import TaskPool\n"
        "from tests.unit.system.pool_tasks import tell_and_wait\n"
        "if __name__ == '__main__':\n"
        f"    list(TaskPool(tell_and_wait, 1).run([{str(tmp_path)!r}]))\n"
    )
    with running([sys.executable, "-c", code], cwd=ROOT):
        wait_until(lambda: any(tmp_path.iterdir()))
        (child,) = (int(path.name) for path in tmp_path.iterdir())
    wait_until(lambda: not is_running(child))
