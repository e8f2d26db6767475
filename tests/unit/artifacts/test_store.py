"""The store: uploads once, manifests whole, nothing left behind."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from core.artifacts.job_ids import is_job_id, new_job_id
from core.artifacts.store import JobStore
from core.errors import ArtefactNotFound, JobNotFound, UploadTooLarge
from core.system.clock import now
from stemcrate.schemas.manifest import JobState, ProcessingManifest, SourceRecord, TrackRecord


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path)


def _create(store: JobStore, sha256: str = "", job_id: str | None = None) -> str:
    tracks = []
    if sha256:
        source = SourceRecord(name="a.wav", sha256=sha256, bytes=1)
        tracks = [TrackRecord(index=0, source=source)]
    manifest = ProcessingManifest(job_id=job_id or new_job_id(), created_at=now(), tracks=tracks)
    store.create(manifest)
    return manifest.job_id


def _upload(store: JobStore, data: bytes, job_id: str) -> str:
    with store.open_upload("a.wav", 100) as upload:
        upload.write(data)
        return upload.commit(job_id).sha256


def test_job_ids_sort_by_time() -> None:
    """The history pages rely on it."""
    ids = [new_job_id(at_ms=1_700_000_000_000 + step) for step in range(50)]
    assert ids == sorted(ids)
    assert all(is_job_id(job_id) for job_id in ids)


@pytest.mark.parametrize(
    "text", ["", "..", "../x", "a" * 36, "{00000000-0000-7000-8000-000000000000}"]
)
def test_only_job_ids_reach_the_disk(store: JobStore, text: str) -> None:
    """A request must not walk out of the data folder."""
    assert not is_job_id(text)
    with pytest.raises(JobNotFound):
        store.load(text)


def test_an_upload_beyond_the_limit_leaves_nothing(store: JobStore) -> None:
    """The limit counts bytes as they arrive; the part that arrived must not stay."""
    with pytest.raises(UploadTooLarge), store.open_upload("a.wav", 10) as upload:
        upload.write(b"x" * 6)
        upload.write(b"x" * 6)
    assert list(store.uploads.iterdir()) == []


def test_an_upload_that_breaks_off_leaves_nothing(store: JobStore) -> None:
    with pytest.raises(ConnectionError), store.open_upload("a.wav", 10) as upload:
        upload.write(b"x")
        raise ConnectionError
    assert list(store.uploads.iterdir()) == []


def test_the_same_bytes_are_kept_once_and_until_the_last_job_goes(store: JobStore) -> None:
    """Deleting one job must not take the upload from another."""
    first, second = new_job_id(), new_job_id()
    sha256 = _upload(store, b"song", first)
    assert _upload(store, b"song", second) == sha256
    assert len(list(store.uploads.iterdir())) == 1
    _create(store, sha256, first)
    _create(store, sha256, second)
    store.delete(first)
    assert store.upload_path(sha256).read_bytes() == b"song"
    store.delete(second)
    assert list(store.uploads.iterdir()) == []
    assert list(store.outputs.iterdir()) == []


def test_updates_from_many_threads_are_all_kept(store: JobStore) -> None:
    """Tracks of one job finish stages at the same time: no update may be lost."""
    job_id = _create(store)

    def add(number: int) -> None:
        with store.update(job_id) as manifest:
            manifest.software[str(number)] = "x"

    threads = [threading.Thread(target=add, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.load(job_id).software) == 16


def test_an_update_that_fails_changes_nothing(store: JobStore) -> None:
    job_id = _create(store)
    with pytest.raises(RuntimeError), store.update(job_id) as manifest:
        manifest.state = JobState.FAILED
        raise RuntimeError
    assert store.load(job_id).state == JobState.QUEUED


def test_pages_go_from_new_to_old(store: JobStore) -> None:
    ids = [_create(store, job_id=new_job_id(at_ms=1_700_000_000_000 + n)) for n in range(5)]
    first = store.page(before=None, limit=2)
    second = store.page(before=first[-1].job_id, limit=10)
    assert [m.job_id for m in [*first, *second]] == ids[::-1]


def test_only_listed_artefacts_have_paths(store: JobStore) -> None:
    """manifest.json and ../ are not artefacts."""
    job_id = _create(store)
    for name in ("manifest.json", "../x", "/etc/passwd"):
        with pytest.raises(ArtefactNotFound):
            store.artefact(job_id, name)


def test_expired_jobs_are_those_that_ended_long_ago(store: JobStore) -> None:
    old, young, running = _create(store), _create(store), _create(store)
    for job_id, days in ((old, 3), (young, 0)):
        with store.update(job_id) as manifest:
            manifest.state = JobState.COMPLETED
            manifest.finished_at = now() - timedelta(days=days)
    assert store.expired(older_than_s=86400) == [old]
    assert running in store.job_ids()


def test_a_held_job_is_seen_as_held(store: JobStore) -> None:
    job_id = _create(store)
    assert not store.is_held(job_id)
    with store.hold(job_id):
        assert store.is_held(job_id)
    assert not store.is_held(job_id)


def test_a_damaged_manifest_does_not_hide_the_other_jobs(store: JobStore) -> None:
    """One unreadable file must stop neither the history nor retention."""
    damaged, whole = _create(store), _create(store)
    (store.job_folder(damaged) / "manifest.json").write_text("{")
    with store.update(whole) as manifest:
        manifest.finished_at = now() - timedelta(days=9)
    assert [m.job_id for m in store.page(before=None, limit=9)] == [whole]
    assert store.expired(older_than_s=86400) == [whole]


def test_a_job_can_be_deleted_while_its_worker_tidies_up(store: JobStore) -> None:
    """Both remove its work files: whoever came second failed, and the upload stayed for ever."""

    def tidy(job_id: str) -> None:
        with suppress(JobNotFound), store.locked(job_id):
            store.remove_work(job_id)

    for n in range(12):
        job_id = new_job_id()
        sha256 = _upload(store, f"{n}".encode(), job_id)
        _create(store, sha256, job_id)
        for index in range(60):
            folder = store.work_folder(job_id) / str(index)
            folder.mkdir(parents=True)
            (folder / "vocals.wav").touch()
        with ThreadPoolExecutor(3) as pool:
            tasks = (tidy, store.delete, tidy)
            ended = [pool.submit(task, job_id) for task in tasks]
        assert [task.exception() for task in ended] == [None, None, None]
        assert not store.job_folder(job_id).exists()
        assert not store.upload_path(sha256).exists()


def test_what_killed_processes_left_goes_after_a_while(store: JobStore) -> None:
    """Half an upload of gigabytes stayed for ever, and so did one whose job was never written."""
    job_id = _create(store, sha256=_upload(store, b"used", new_job_id()))
    used = _upload(store, b"used", job_id)
    lost = _upload(store, b"lost", new_job_id())
    kept = _upload(store, b"kept", "library")
    half = store.uploads / ".0123456789abcdef.part"
    half.write_bytes(b"RIFF")
    staged = store.downloads / ".pack-x" / "Music" / "song.wav"
    staged.parent.mkdir(parents=True)
    staged.touch()

    store.remove_abandoned(older_than_s=3600)
    store.remove_partial_uploads(older_than_s=3600)
    assert half.exists()
    assert staged.exists()
    assert store.upload_path(lost).exists()

    store.remove_abandoned(older_than_s=-1)
    store.remove_partial_uploads(older_than_s=-1)
    assert sorted(path.name for path in store.uploads.iterdir()) == sorted([used, kept])
    assert list(store.downloads.iterdir()) == []
    assert store.exists(job_id)


def test_clearing_up_takes_no_manifest_away_that_is_being_written(store: JobStore) -> None:
    """A cancel met the worker's own note of it: the one that wrote failed."""
    job_id = _create(store)

    def write() -> None:
        for n in range(200):
            with store.update(job_id) as manifest:
                manifest.software = {"n": str(n)}

    with ThreadPoolExecutor(2) as threads:
        writing = threads.submit(write)
        while not writing.done():
            with store.locked(job_id):
                store.remove_work(job_id)
        writing.result()
    assert [path.name for path in store.job_folder(job_id).iterdir()] == ["manifest.json"]
