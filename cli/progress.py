"""Progress on stderr; stdout is reserved for results."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.output import err

_MAX_NAME_CHARACTERS = 40


class ShowProgress(Protocol):
    """Shows how many files are done, and the name of the last one."""

    def __call__(self, done: int, total: int, name: str) -> None:
        """Move the bar to ``done`` of ``total``."""
        ...


@contextmanager
def file_progress() -> Iterator[ShowProgress]:
    """Show a bar that counts files until the block ends."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err) as bar:
        row = bar.add_task("starting", total=None)

        def show(done: int, total: int, name: str) -> None:
            bar.update(row, completed=done, total=total, description=name[:_MAX_NAME_CHARACTERS])

        yield show
