"""The list of jobs: what it says is what the manifests say, whoever wrote them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from core.artifacts.job_ids import new_job_id
from core.artifacts.manifests import LIST, FolderManifests
from core.artifacts.store import JobStore
from core.system.clock import now
from stemcrate.schemas.jobs import JobQuery
from stemcrate.schemas.manifest import JobState, ProcessingManifest, SourceRecord, TrackRecord

MILLISECONDS = count(1_700_000_000_000)
"""Of the creation of jobs: ids of one millisecond sort at random."""


def create(store: JobStore, name: str = "song.wav", owner: str = "local") -> str:
    source = SourceRecord(name=name, sha256="0" * 64, bytes=1)
    manifest = ProcessingManifest(
        job_id=new_job_id(next(MILLISECONDS)),
        owner=owner,
        created_at=now(),
        tracks=[TrackRecord(index=0, source=source)],
    )
    store.create(manifest)
    return manifest.job_id


def finish(store: JobStore, job_id: str) -> None:
    with store.update(job_id) as manifest:
        manifest.state = manifest.tracks[0].state = JobState.COMPLETED
        manifest.finished_at = now()


def listed(store: JobStore, **query: object) -> list[str]:
    found = store.find(JobQuery.model_validate(query), limit=100)
    return [job.summary.job_id for job in found]


@contextmanager
def counted_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    read, seen = FolderManifests.read, list[str]()

    def reading(self: FolderManifests, job_id: str) -> bytes | None:
        seen.append(job_id)
        return read(self, job_id)

    with monkeypatch.context() as patch:
        patch.setattr(FolderManifests, "read", reading)
        yield seen


def test_a_list_reads_no_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every manifest was read for every page, so that it took longer with every job."""
    store = JobStore(tmp_path)
    ids = [create(store, f"{n}.wav") for n in range(20)]
    finish(store, ids[3])
    listed(store)
    with counted_reads(monkeypatch) as seen:
        assert listed(store) == ids[::-1]
        assert listed(store, state="completed") == [ids[3]]
        assert listed(store, text="7.WAV") == [ids[17], ids[7]]
        assert listed(store, kind="analysis") == []
        assert listed(store, cursor=ids[2]) == ids[1::-1]
        assert store.latest_ids(2) == ids[:-3:-1]
        assert store.expired(older_than_s=-60) == [ids[3]]
    assert seen == []


def test_jobs_of_an_earlier_version_are_listed(tmp_path: Path) -> None:
    """A data folder had no list before; the first page makes it."""
    old = JobStore(tmp_path)
    ids = [create(old) for _ in range(3)]
    (tmp_path / LIST).unlink()
    assert listed(JobStore(tmp_path)) == ids[::-1]


def test_what_others_change_is_found(tmp_path: Path) -> None:
    """A list that believes itself would show what is gone, or an old state."""
    store = JobStore(tmp_path)
    gone, changed, copied = (create(store) for _ in range(3))
    assert len(listed(store)) == 3
    shutil.rmtree(store.job_folder(gone))
    path = store.job_folder(changed) / "manifest.json"
    path.write_text(path.read_text().replace('"queued"', '"cancelled"', 1))
    shutil.move(store.job_folder(copied), tmp_path / "elsewhere")
    assert listed(store) == [changed]
    assert listed(store, state="cancelled") == [changed]
    shutil.move(tmp_path / "elsewhere", store.job_folder(copied))
    assert listed(store) == [copied, changed]


@pytest.mark.parametrize("damage", [b"nonsense" * 1000, b""])
def test_a_damaged_list_is_made_again(tmp_path: Path, damage: bytes) -> None:
    """It is not flushed to the disk, so a power cut may leave anything."""
    job_id = create(JobStore(tmp_path))
    (tmp_path / LIST).write_bytes(damage)
    store = JobStore(tmp_path)
    assert listed(store) == [job_id]
    finish(store, job_id)
    assert listed(store, state="completed") == [job_id]


def test_an_unreadable_manifest_is_left_out(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    whole, damaged = create(store), create(store)
    (store.job_folder(damaged) / "manifest.json").write_text("{")
    assert listed(store) == [whole]


def test_each_owner_lists_their_jobs(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    mine, theirs = create(store), create(store, owner="anna")
    assert listed(store) == [theirs, mine]
    assert listed(store.owned_by("anna")) == [theirs]
    assert store.owned_by("local").latest_ids(5) == [mine]


def test_words_are_not_patterns(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job_id = create(store, "100%_live.wav")
    create(store, "1000 live.wav")
    assert listed(store, text="100%_") == [job_id]
