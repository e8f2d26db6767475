"""The report on an installation: what waits, what fills the disk, what is set, what failed."""

from pathlib import Path
from typing import Any

from api.system_report import describe_settings
from bench.databases import Server
from stemcrate.schemas.system import SystemReport
from tests.integration.api.apps import open_client, run_here, services_of, settings_for, submit
from tests.programs import requires


def report_of(client: Any) -> SystemReport:
    return SystemReport.model_validate(client.get("/system").json())


def test_the_queue_the_disk_and_what_failed(tmp_path: Path) -> None:
    with open_client(tmp_path, model_dir=tmp_path / "weights") as client:
        waiting, failing = submit(client, "a.wav"), submit(client, "lost.wav")
        store = services_of(client).store
        (track,) = store.load(failing).tracks
        report = report_of(client)
        assert report.queue is not None
        assert (report.queue.waiting, report.queue.running) == (2, 0)
        assert report.queue.oldest_waiting_s is not None
        assert 0 <= report.queue.oldest_waiting_s < 3600
        assert report.failures == []
        sizes = {folder.name: folder.bytes for folder in report.disk.folders}
        assert sizes["uploads"] == track.source.bytes  # both have the same bytes, stored once
        assert sizes["."] > 0
        assert 0 < report.disk.free_bytes < report.disk.total_bytes

        client.delete(f"/job/{waiting}")
        store.upload_path(track.source.sha256).unlink()
        run_here(client, failing)
        (failure,) = report_of(client).failures
    assert (failure.job_id, failure.track_index, failure.name) == (failing, 0, "lost.wav")
    assert failure.code
    assert str(tmp_path) not in failure.message


def test_settings_say_what_is_set_and_hide_passwords(tmp_path: Path) -> None:
    url = "postgresql+psycopg://dj:s3cret@db.example/stemcrate"
    settings = settings_for(tmp_path, database_url=url, allowed_hosts=["a.example", "b.example"])
    told = {setting.name: setting for setting in describe_settings(settings)}
    assert told["DATABASE_URL"].value == "postgresql+psycopg://dj:***@db.example/stemcrate"
    assert told["ALLOWED_HOSTS"].value == "a.example, b.example"
    assert not told["ALLOWED_HOSTS"].is_default
    assert told["OUTPUT_FORMAT"].is_default
    assert all(setting.description for setting in told.values())


@requires("postgresql")
def test_without_a_database_the_rest_is_reported(tmp_path: Path, postgres: Server) -> None:
    with open_client(tmp_path, database_url=postgres.url) as client:
        assert report_of(client).queue is not None
        postgres.stop()
        report = report_of(client)
    assert report.queue is None
    assert report.workers == []
    assert report.versions["python"]
