"""Logging: to stderr and to one file per process, as text or as JSON.

Each line names the job, the track, the stage and the request that it is about. stdout is reserved
for results.
"""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from core.system.disk import create_data_dir
from core.system.log_limit import RepeatLimiter

FORMAT = "%(asctime)s %(levelname)-7s %(process)d %(name)s%(work)s: %(message)s"
MAX_BYTES = 10_000_000
N_BACKUPS = 3

JSON_FIELDS = ("levelname", "name", "message", "process")
LogFormat = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class _Work:
    """What a line of the log is about."""

    job_id: str
    stage: str | None = None
    track_index: int | None = None

    def __str__(self) -> str:
        track = "" if self.track_index is None else f"/{self.track_index}"
        stage = "" if self.stage is None else f" {self.stage}"
        return f" [{self.job_id}{track}{stage}]"


_work: ContextVar[_Work | None] = ContextVar("work", default=None)
_request: ContextVar[str | None] = ContextVar("request", default=None)


def configure_logging(
    level: str,
    data_dir: Path,
    process_name: str,
    *,
    console: bool = True,
    format: LogFormat = "text",
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
        handler.setFormatter(_formatter(format, process_name))
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
    token = _work.set(_Work(job_id, stage_name, track_index))
    try:
        yield
    finally:
        _work.reset(token)


@contextmanager
def request_in_log(request_id: str) -> Iterator[None]:
    """Add the request to every JSON line of the block."""
    token = _request.set(request_id)
    try:
        yield
    finally:
        _request.reset(token)


def _formatter(format: LogFormat, process_name: str) -> logging.Formatter:
    if format == "text":
        return logging.Formatter(FORMAT)
    return _JsonFormatter(
        JSON_FIELDS,
        rename_fields={"levelname": "level", "name": "logger", "process": "pid"},
        static_fields={"process_name": process_name, "host": socket.gethostname()},
        timestamp="time",
        reserved_attrs=[*RESERVED_ATTRS, "work", "is_unlimited"],
    )


class _JsonFormatter(JsonFormatter):
    """One JSON object a line; job, stage, track and request where a line is about one."""

    def add_fields(
        self,
        log_data: dict[str, object],
        record: logging.LogRecord,
        message_dict: dict[str, object],
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        work, request_id = _work.get(), _request.get()
        if work is not None:
            log_data |= {name: value for name, value in asdict(work).items() if value is not None}
        if request_id is not None:
            log_data["request_id"] = request_id


def _name_work(record: logging.LogRecord) -> bool:
    work = _work.get()
    record.work = "" if work is None else str(work)
    return True


def _is_news(record: logging.LogRecord) -> bool:
    """Drop the engine's tracebacks for cancelled jobs."""
    error = record.exc_info[1] if record.exc_info else None
    if type(error).__name__ == "DBOSAwaitedWorkflowCancelledError":
        return False
    return "is no longer owned by this execution" not in record.getMessage()
