"""A process and what it started are stopped and killed together."""

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from bench.processes import is_running
from core.system.processes import kill_group, start_group, stop_group
from tests.conditions import PATIENCE_S, wait_until

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.parametrize(
    ("end", "code"), [(stop_group, -signal.SIGTERM), (kill_group, -signal.SIGKILL)]
)
def test_what_a_process_started_ends_with_it(
    end: Callable[[subprocess.Popen[bytes]], None], code: int
) -> None:
    """A worker that is stopped alone leaves the process that holds the GPU's memory."""
    with start_group([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        end(process)
        assert process.wait(PATIENCE_S) == code
        wait_until(lambda: not is_running(child))
        end(process)  # once more is no error
