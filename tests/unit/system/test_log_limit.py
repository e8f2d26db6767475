"""A line that repeats all the time neither fills the disk nor pushes others out of the log."""

import logging

import pytest

from core.system.log_limit import MAX_LINES, PERIOD_S, UNLIMITED, RepeatLimiter


class Kept(logging.Handler):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.is_closed = False

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def close(self) -> None:
        self.is_closed = True
        super().close()


class Log:
    """A logger behind a limiter, with a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.kept = Kept()
        self.limiter = RepeatLimiter([self.kept], clock=lambda: self.now)
        self.logger = logging.Logger("test")
        self.logger.addHandler(self.limiter)

    def repeat(self, n: int) -> None:
        for number in range(n):
            self.logger.error("socket %d cannot be accepted", number)


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_line_that_repeats_is_counted(log: Log) -> None:
    """1.3 million lines, 99 MB, overwrote every log in 26 s."""
    log.repeat(MAX_LINES + 5000)
    assert len(log.kept.lines) == MAX_LINES
    log.logger.info("another place is heard")
    assert log.kept.lines[-1] == "another place is heard"

    log.now += PERIOD_S
    log.repeat(1)

    assert log.kept.lines[-2] == "5000 more lines like: socket 5099 cannot be accepted"
    assert log.kept.lines[-1] == "socket 0 cannot be accepted"


def test_what_was_left_out_is_said_at_the_end(log: Log) -> None:
    log.repeat(MAX_LINES + 1)
    log.limiter.close()
    assert log.kept.lines[-1].startswith("1 more lines like: socket")
    assert log.kept.is_closed


def test_a_traceback_is_not_repeated_with_the_count(log: Log) -> None:
    for _ in range(MAX_LINES + 2):
        try:
            raise OSError(24, "Too many open files")
        except OSError:
            log.logger.exception("accept")
    log.limiter.close()
    assert "Traceback" in log.kept.lines[0]
    assert log.kept.lines[-1] == "2 more lines like: accept"


def test_usual_lines_are_all_written(log: Log) -> None:
    for _ in range(5):
        log.repeat(MAX_LINES)
        log.now += PERIOD_S
    assert len(log.kept.lines) == 5 * MAX_LINES


def test_lines_that_must_be_complete_are(log: Log) -> None:
    """Who deleted what must not be hidden behind other requests."""
    for number in range(3 * MAX_LINES):
        log.logger.info("deleted %d", number, extra=UNLIMITED)
    assert len(log.kept.lines) == 3 * MAX_LINES
    log.limiter.close()
    assert len(log.kept.lines) == 3 * MAX_LINES
