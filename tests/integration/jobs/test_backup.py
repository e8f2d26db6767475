"""A backup of an installation at work, and the installation that is made of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.databases import new_database
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.errors import InvalidOption
from core.jobs.backup import NOTE, back_up, restore
from core.library.libraries import Libraries
from core.pipeline.verifying import verify_job
from core.sources.records import IngestStore
from core.system.clock import now
from core.system.database import engine_for, is_sqlite
from core.system.storage import Storage
from stemcrate.schemas.ingests import IngestedTrack, IngestRecord
from stemcrate.schemas.owners import LOCAL
from tests.integration.jobs.installation import Installation, installation_in, on_both_databases
from tests.library_records import make_record


@contextmanager
def empty_place(
    house: Installation, folder: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Path, str | None]]:
    """Yield an empty data folder, and an empty database of the kind that the house has."""
    data = folder / "elsewhere"
    if is_sqlite(house.url):
        yield data, None
        return
    with new_database(request.getfixturevalue("server")) as url:
        yield data, url
        engine_for(url).dispose()


@on_both_databases
def test_a_backup_of_running_work_goes_on_elsewhere(
    house: Installation, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    """Done jobs keep their files, running ones continue after their last finished stage."""
    folder = tmp_path_factory.mktemp("backup")
    worker = house.start_worker()
    done = house.submit("work=0.1", "work=0.1")
    assert house.wait_for_end(done) == "completed"
    told_to_end = folder / "told-to-end"
    running = house.submit(f"work=1 until={told_to_end}")
    house.wait_for_work(running)
    waiting = [house.submit(f"work=1 until={told_to_end}") for _ in range(2)]

    note = back_up(house.store, house.url, folder / "copy")

    assert note.n_jobs == 4
    worker.kill()
    with empty_place(house, folder, request) as (data, url):
        restore(folder / "copy", data, url or f"sqlite:///{data / 'stemcrate.sqlite'}")
        told_to_end.touch()
        with installation_in(data, url) as second:
            second.start_worker()
            for job_id in (running, *waiting):
                assert second.wait_for_end(job_id) == "completed"
            assert second.attempts(running)["read"] == 1
            for job_id in (done, running):
                found = verify_job(second.store, job_id)
                assert (found.missing, found.changed) == ([], [])
                assert found.n_files >= 2


def test_what_has_not_changed_is_not_copied_again(house: Installation, tmp_path: Path) -> None:
    house.start_worker()
    first, second = house.submit("work=0.1"), house.submit("work=0.1")
    assert {house.wait_for_end(first), house.wait_for_end(second)} == {"completed"}
    folder = tmp_path.with_name(f"{tmp_path.name}-copy")
    back_up(house.store, house.url, folder)
    kept = next((folder / "data" / "outputs" / second).glob("**/work.txt"))
    inode = kept.stat().st_ino
    house.service.delete(first)

    note = back_up(house.store, house.url, folder)

    assert note.n_jobs == 1
    assert not (folder / "data" / "outputs" / first).exists()
    assert kept.stat().st_ino == inode


def test_ingests_that_wait_are_kept(house: Installation, tmp_path: Path) -> None:
    """Their rows in the queue came back, and what they ask for did not."""
    ingests = IngestStore(house.data_dir)
    record = IngestRecord(id=new_job_id(), created_at=now(), name="a list")
    ingests.write_tracks(record.id, [IngestedTrack(title="Blue")])
    ingests.keep(record)
    copy, elsewhere = (tmp_path.with_name(f"{tmp_path.name}-{name}") for name in ("copy", "new"))
    back_up(house.store, house.url, copy)
    restore(copy, elsewhere, f"sqlite:///{elsewhere / 'stemcrate.sqlite'}")
    assert IngestStore(elsewhere).load(record.id) == record
    assert [track.title for track in IngestStore(elsewhere).tracks(record.id)] == ["Blue"]


def test_places_that_would_lose_something_are_refused(house: Installation, tmp_path: Path) -> None:
    folder = tmp_path.with_name(f"{tmp_path.name}-copy")
    foreign = tmp_path.with_name(f"{tmp_path.name}-foreign")
    foreign.mkdir()
    (foreign / "thesis.txt").touch()
    for place in (house.data_dir / "backup", house.data_dir.parent, foreign):
        with pytest.raises(InvalidOption, match="folder"):
            back_up(house.store, house.url, place)
    back_up(house.store, house.url, folder)
    with pytest.raises(InvalidOption, match="not empty"):
        restore(folder, house.data_dir, house.url)
    (folder / NOTE).unlink()
    with pytest.raises(InvalidOption, match="not a complete backup"):
        restore(folder, tmp_path / "new", "sqlite:///x")
    assert not (tmp_path / "new").exists()


def test_a_backup_is_for_the_kind_of_database_that_it_is_of(
    house: Installation, tmp_path: Path
) -> None:
    folder = tmp_path.with_name(f"{tmp_path.name}-copy")
    back_up(house.store, house.url, folder)
    with pytest.raises(InvalidOption, match="DATABASE_URL"):
        restore(folder, tmp_path / "new", "postgresql://nobody@127.0.0.1:1/none")


def test_libraries_of_owners_come_along(tmp_path: Path) -> None:
    """Their catalogues are files beside the installation's database."""
    data_dir, restored = tmp_path / "data", tmp_path / "restored"
    libraries = Libraries(data_dir, f"sqlite:///{data_dir / 'stemcrate.sqlite'}")
    for n, owner in enumerate((LOCAL, "anna", "ben")):
        libraries.of(owner).put(make_record(n))
    for n in (3, 4):  # the second time onto what is there
        libraries.of("anna").put(make_record(n))
        back_up(JobStore(data_dir), f"sqlite:///{data_dir / 'stemcrate.sqlite'}", tmp_path / "kept")
    url = f"sqlite:///{restored / 'stemcrate.sqlite'}"
    restore(tmp_path / "kept", restored, url)
    found = Libraries(restored, url)
    assert found.owners() == [LOCAL, "anna", "ben"]
    assert [found.of(owner).count() for owner in found.owners()] == [1, 3, 1]


def test_an_installation_of_several_hosts_is_not_half_copied(tmp_path: Path) -> None:
    """A copy of one host's folder looked like a backup, and held nothing of the others."""
    storage = Storage(tmp_path / "data", "postgresql://nowhere/x", "memory:///")
    store = JobStore(storage)
    with pytest.raises(InvalidOption, match="object store"):
        back_up(store, storage.database_url, tmp_path / "backup")
    with pytest.raises(InvalidOption, match="object store"):
        restore(tmp_path / "backup", storage, storage.database_url)
    assert not (tmp_path / "backup").exists()
