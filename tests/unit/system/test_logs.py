import json
import logging
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from core.system.logs import configure_logging, request_in_log, work_in_log


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


def test_a_line_of_json_says_what_it_is_about(tmp_path: Path) -> None:
    configure_logging("INFO", tmp_path, "worker", console=False, format="json")
    logger = logging.getLogger("stemcrate.test")
    with request_in_log("r-1"), work_in_log("job-1", "key", 2):
        logger.warning("it took %d s", 3)
    try:
        raise ValueError("oh")
    except ValueError:
        logger.exception("failed")
    written = (tmp_path / "logs" / "worker.log").read_text()
    lines = [json.loads(line) for line in written.splitlines()]
    about = {name: lines[0].pop(name) for name in ("job_id", "stage", "track_index", "request_id")}
    assert about == {"job_id": "job-1", "stage": "key", "track_index": 2, "request_id": "r-1"}
    assert datetime.fromisoformat(lines[0].pop("time")).tzinfo is not None
    assert lines[0].pop("pid") == os.getpid()
    assert lines[0].pop("host")
    assert lines[0] == {
        "level": "WARNING",
        "logger": "stemcrate.test",
        "message": "it took 3 s",
        "process_name": "worker",
    }
    assert "ValueError: oh" in lines[1]["exc_info"]
    assert "job_id" not in lines[1]
