"""What records the state of a job waits for room and for the database, and for nothing else."""

import logging

import pytest

from core.errors import DatabaseUnavailable, JobNotFound, StorageFull
from core.jobs import patience
from core.jobs.patience import patiently


def test_a_record_is_written_once_there_is_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The end of a job could not be written, and the job was "running" for ever."""
    monkeypatch.setattr(patience, "POLL_S", 0.0)
    errors = [StorageFull("The disk is full."), StorageFull("Still."), DatabaseUnavailable("Gone.")]

    def record() -> str:
        if errors:
            raise errors.pop(0)
        return "recorded"

    with caplog.at_level(logging.WARNING):
        assert patiently(record) == "recorded"
    assert [message for message in caplog.messages if "waiting for room" in message] == [
        "waiting for room to record the state of a job: The disk is full."
    ], "said once, not every second"


def test_other_errors_are_not_waited_for() -> None:
    def record() -> None:
        raise JobNotFound("There is no such job.")

    with pytest.raises(JobNotFound):
        patiently(record)
