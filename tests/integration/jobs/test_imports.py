"""Imports of folders through the real queue, the real engine and real worker processes."""

import time
from pathlib import Path

import pytest
import soundfile

from core.jobs.imports import ImportService
from core.jobs.task_runner import TaskSweep
from core.library.records.imports import ImportStore
from stemcrate.schemas.imports import ImportRecord
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.owners import LOCAL
from tests.integration.jobs.installation import Installation, on_both_databases
from tests.signals import make_song

RATE = 44_100
N_SONGS = 6


@pytest.fixture
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared") / "Music"
    folder.mkdir()
    for n in range(N_SONGS):
        song = make_song(8.0, RATE, seed=n)
        soundfile.write(folder / f"{n}.wav", song.T, RATE, subtype="PCM_16")
    return folder


def service(house: Installation, music: Path) -> ImportService:
    return ImportService(house.store.storage, house.queue, [music], LOCAL)


def wait_for_end(house: Installation, imports: ImportService, id: str) -> ImportRecord:
    house.wait_until(lambda: imports.imports.load(id).state.is_final)
    return imports.imports.load(id)


@on_both_databases
def test_an_import_outlives_its_worker(house: Installation, music: Path) -> None:
    """SIGKILL in the middle: the next worker adds the rest, and no process is left behind."""
    imports = service(house, music)
    first = house.start_worker()
    record, is_new = imports.request("Music")
    assert is_new
    house.wait_until(lambda: house.library.count() >= 1)
    first.kill()
    house.wait_until(first.leaves_no_orphan)
    n_before = house.library.count()
    assert 1 <= n_before < N_SONGS
    assert imports.imports.load(record.id).state == JobState.RUNNING

    house.start_worker()
    done = wait_for_end(house, imports, record.id)
    assert (done.state, done.n_files, done.n_done) == (JobState.COMPLETED, N_SONGS, N_SONGS)
    assert (done.n_known, done.n_added) == (n_before, N_SONGS - n_before)
    assert house.library.count() == N_SONGS


def test_an_import_is_cancelled_while_it_runs(house: Installation, music: Path) -> None:
    worker = house.start_worker()
    imports = service(house, music)
    record, _ = imports.request("Music")
    house.wait_until(lambda: house.library.count() >= 1)
    assert imports.imports.cancel(record.id).state == JobState.CANCELLED
    again, is_new = imports.request("Music")
    assert is_new
    done = wait_for_end(house, imports, again.id)
    assert (done.state, done.n_refused) == (JobState.COMPLETED, 0)
    assert done.n_known >= 1
    assert done.n_known + done.n_added == N_SONGS
    assert imports.imports.load(record.id).state == JobState.CANCELLED
    assert worker.process.poll() is None


def test_an_import_that_the_queue_does_not_know_is_closed(
    house: Installation, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be "waiting" for ever, and the folder could not be added again."""
    imports = service(house, music)
    record, _ = imports.imports.take(imports.folders.find("Music"))
    sweep = TaskSweep("import", ImportStore(house.store.storage), house.queue)
    sweep.look()
    assert imports.imports.load(record.id).state == JobState.QUEUED  # it may be on its way
    later = time.time() + 120
    monkeypatch.setattr(time, "time", lambda: later)
    sweep.look()
    closed = imports.imports.load(record.id)
    assert closed.error is not None
    assert (closed.state, closed.error.code) == (JobState.FAILED, "worker_lost")
    assert imports.request("Music")[1]
