"""What the pool's tests let it do; a process finds these by name."""

import os
import signal
import time
from pathlib import Path

from core.errors import NotAudio


def behave(task: str) -> str:
    """Do what a task says: answer, refuse, raise a defect, or die."""
    if task.startswith("refuse"):
        raise NotAudio(task)
    if task.startswith("defect"):
        raise KeyError(task)
    if task.startswith("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    return task.upper()


def tell_and_wait(folder: str) -> None:
    """Leave the number of this process, and never come back."""
    Path(folder, str(os.getpid())).touch()
    while True:
        time.sleep(60)
