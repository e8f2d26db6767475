"""What workers report, read by whoever shares their database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.jobs.database import prepare_database, worker_reports
from core.jobs.liveness import open_liveness
from core.jobs.reporter import Reporter, find_device
from core.jobs.reports import WorkerReports
from core.pipeline.runtime import Runtime
from core.system.database import engine_for
from tests.models import write_tiny_htdemucs


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'stemcrate.sqlite'}"
    prepare_database(url)
    return url


@contextmanager
def living(url: str, executor_id: str) -> Iterator[None]:
    liveness = open_liveness(url)
    liveness.hold(executor_id)
    try:
        yield
    finally:
        liveness.release()


def _reporter(url: str, executor_id: str, model_dir: Path) -> Reporter:
    return Reporter(WorkerReports(url), executor_id, Runtime(model_dir=model_dir, device="cpu"))


def _published(url: str) -> list[str]:
    with engine_for(url).connect() as connection:
        return list(connection.scalars(sa.select(worker_reports.c.executor_id)))


def test_nobody_has_reported_yet(url: str) -> None:
    reports = WorkerReports(url)
    assert reports.live() == []
    assert reports.inventory() is None


def test_weights_that_arrive_are_reported(url: str, tmp_path: Path) -> None:
    """`models fetch` beside a running worker: the API went on to say that there are none."""
    models = tmp_path / "models"
    reporter, reports = _reporter(url, "a", models), WorkerReports(url)
    with living(url, "a"):
        reporter.look()
        before = reports.inventory()
        write_tiny_htdemucs(models, layout="hub")
        reporter.look()
        after = reports.inventory()
    assert before is not None
    assert after is not None
    assert not before.is_available("htdemucs")
    assert after.is_available("htdemucs")
    assert (before.auto.resolved, after.auto.resolved) == ("spleeter", "htdemucs")


def test_the_last_word_of_a_dead_worker_counts_until_another_speaks(
    url: str, tmp_path: Path
) -> None:
    """While a worker starts again, jobs that it can do must not be refused."""
    models = write_tiny_htdemucs(tmp_path / "models", layout="hub")
    reports = WorkerReports(url)
    with living(url, "a"):
        _reporter(url, "a", models).look()
        assert len(reports.live()) == 1
    assert reports.live() == []
    last = reports.inventory()
    assert last is not None
    assert last.is_available("htdemucs")

    with living(url, "b"):
        _reporter(url, "b", tmp_path / "nothing").look()
        now = reports.inventory()
    assert now is not None
    assert not now.is_available("htdemucs")
    assert _published(url) == ["b"]


def test_a_report_of_another_version_is_passed_over(url: str) -> None:
    with engine_for(url).begin() as connection:
        connection.execute(sa.insert(worker_reports).values(executor_id="a", payload="{}"))
    with living(url, "a"):
        assert WorkerReports(url).live() == []
        assert WorkerReports(url).inventory() is None


def test_a_database_that_does_not_answer_stops_no_worker(url: str, tmp_path: Path) -> None:
    reporter = _reporter(url, "a", tmp_path)
    with engine_for(url).begin() as connection:
        worker_reports.drop(connection)
    reporter.look()
    prepare_database(url)
    reporter.look()
    assert _published(url) == ["a"]


@pytest.mark.parametrize("name", ["auto", "cpu", "tpu"])
def test_the_device_is_found_without_torch_in_this_process(name: str) -> None:
    found = find_device(name)
    assert found.reason
    assert (found.name is None) == (name == "tpu")
