"""The processes of an installation end together, however the first one ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.processes import is_running, running
from tests.conditions import PATIENCE_S, wait_until
from tests.integration.jobs.installation import ROOT, Installation

# Writes its process id to a file each time it starts.
SLEEPER = "import os, pathlib, sys, time\np = pathlib.Path(sys.argv[1])\n" + (
    "p.write_text(p.read_text() + f'{os.getpid()} ' if p.exists() else f'{os.getpid()} ')\n"
)

N_PAUSES = 3


class Serve:
    """A supervisor process over two commands."""

    def __init__(self, folder: Path, last_line: str = "time.sleep(600)") -> None:
        self.files = [folder / "one", folder / "two"]
        commands = {
            file.name: [sys.executable, "-c", SLEEPER + last_line, str(file)] for file in self.files
        }
        code = (
            "from core.jobs import supervisor\n"
            f"supervisor.BACKOFF_S = (0.05,) * {N_PAUSES}\n"
            f"supervisor.run_all({commands!r})"
        )
        self.process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)

    def starts(self, index: int = 0) -> list[int]:
        file = self.files[index]
        return [int(pid) for pid in file.read_text().split()] if file.exists() else []

    def wait_for_start(self) -> list[int]:
        wait_until(lambda: self.starts(0) and self.starts(1))
        return [self.starts(0)[-1], self.starts(1)[-1]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    supervisor = Serve(tmp_path)
    yield supervisor
    supervisor.process.kill()
    supervisor.process.wait()


def none_is_left(pids: list[int]) -> bool:
    return not any(is_running(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="only this kernel ends children by itself")
def test_a_killed_supervisor_leaves_no_orphan(serve: Serve) -> None:
    """SIGKILL gives it no chance to stop anything."""
    pids = serve.wait_for_start()
    serve.process.kill()

    assert wait_until(lambda: none_is_left(pids))


@pytest.mark.skipif(sys.platform != "linux", reason="only this kernel ends children by itself")
def test_a_killed_supervisor_takes_the_stages_along(house: Installation) -> None:
    """Supervisor, worker, stage: the process at the end of the chain holds the GPU's memory."""
    command = [sys.executable, "-c", house.worker_code()]
    code = f"from core.jobs.supervisor import run_all\nrun_all({{'worker': {command!r}}})"
    with running([sys.executable, "-c", code], cwd=ROOT) as process:
        job_id = house.submit("work=600")
        house.wait_for_work(job_id)
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 3

    wait_until(lambda: none_is_left([member.pid for member in family]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_supervisor_stops_all(serve: Serve, number: signal.Signals) -> None:
    pids = serve.wait_for_start()
    serve.process.send_signal(number)

    assert serve.process.wait(PATIENCE_S) == 0
    assert none_is_left(pids)


def test_a_process_that_dies_is_started_again(serve: Serve) -> None:
    first, other = serve.wait_for_start()
    os.kill(first, signal.SIGKILL)

    wait_until(lambda: len(serve.starts(0)) == 2)
    wait_until(lambda: is_running(serve.starts(0)[1]))
    assert serve.starts(1) == [other]


def test_a_process_that_cannot_start_does_not_end_the_others(tmp_path: Path) -> None:
    """After 25 s with a port taken, the healthy API was stopped as well."""
    may_start, is_up = tmp_path / "may start", tmp_path / "is up"
    serve = Serve(
        tmp_path,
        f"if p.name == 'one' and not pathlib.Path({str(may_start)!r}).exists(): sys.exit(3)\n"
        f"if p.name == 'one': pathlib.Path({str(is_up)!r}).touch()\n"
        "time.sleep(600)",
    )
    with serve.process:
        wait_until(lambda: len(serve.starts(0)) > 2 * N_PAUSES)
        may_start.touch()
        wait_until(is_up.exists)
        assert len(serve.starts(1)) == 1
        assert is_running(serve.starts(1)[0])
        serve.process.terminate()

    assert serve.process.returncode == 0
