"""Logging: to stderr and to one file per process, with job and stage in each message.

stdout is reserved for results.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path

from core.system.disk import create_data_dir
from core.system.log_limit import RepeatLimiter

FORMAT = "%(asctime)s %(levelname)-7s %(process)d %(name)s%(work)s: %(message)s"
MAX_BYTES = 10_000_000
N_BACKUPS = 3

_work: ContextVar[str] = ContextVar("work", default="")


def configure_logging(
    level: str, data_dir: Path, process_name: str, *, console: bool = True
) -> None:
    """Log to the console and to ``data_dir/logs/{process_name}.log``.

    A line that repeats all the time is limited (`core.system.log_limit`). May be called again; it
    replaces the previous handlers.
    """
    create_data_dir(data_dir)
    folder = data_dir / "logs"
    folder.mkdir(exist_ok=True)
    handlers: list[logging.Handler] = [
        RotatingFileHandler(
            folder / f"{process_name}.log",
            maxBytes=MAX_BYTES,
            backupCount=N_BACKUPS,
            encoding="utf-8",
        )
    ]
    if console:
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(logging.Formatter(FORMAT))
        handler.addFilter(_name_work)
    logging.basicConfig(level=level, handlers=[RepeatLimiter(handlers)], force=True)
    for talkative in ("filelock", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    quieten_engine()


def quieten_engine() -> None:
    """Limit the job engine to warnings, sent through our handlers instead of its own."""
    engine = logging.getLogger("dbos")
    engine.handlers.clear()
    engine.propagate = True
    engine.setLevel(logging.WARNING)
    engine.addFilter(_is_news)


@contextmanager
def work_in_log(
    job_id: str, stage_name: str | None = None, track_index: int | None = None
) -> Iterator[None]:
    """Add the job, and optionally its stage and track, to every message of the block."""
    track = "" if track_index is None else f"/{track_index}"
    stage = "" if stage_name is None else f" {stage_name}"
    token = _work.set(f" [{job_id}{track}{stage}]")
    try:
        yield
    finally:
        _work.reset(token)


def _name_work(record: logging.LogRecord) -> bool:
    record.work = _work.get()
    return True


def _is_news(record: logging.LogRecord) -> bool:
    """Drop the engine's tracebacks for cancelled jobs."""
    error = record.exc_info[1] if record.exc_info else None
    if type(error).__name__ == "DBOSAwaitedWorkflowCancelledError":
        return False
    return "is no longer owned by this execution" not in record.getMessage()
