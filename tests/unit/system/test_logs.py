import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.system.logs import configure_logging, work_in_log


@pytest.fixture(autouse=True)
def root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:], root.level = handlers, level


def test_messages_name_their_job_and_leave_stdout_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`process --json` promises JSON alone on stdout."""
    configure_logging("INFO", tmp_path, "worker")
    with work_in_log("job-1", "tempo", 3):
        logging.getLogger("core").info("hello")
    logging.getLogger("core").info("outside")

    console = capsys.readouterr()
    written = (tmp_path / "logs" / "worker.log").read_text()
    assert console.out == ""
    assert console.err == written
    assert "[job-1/3 tempo]: hello" in written
    assert "job-1" not in written.splitlines()[1]


def test_the_console_can_be_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", tmp_path, "cli", console=False)
    logging.getLogger("core").warning("hello")

    assert capsys.readouterr().err == ""
    assert "hello" in (tmp_path / "logs" / "cli.log").read_text()
