"""The library kept in step with manifests on disk: what is missing is found, failures retried."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.library.catalogue.database import open_engine
from core.library.intake.job_sweep import RETRY_S, JobSweep
from core.library.library import Library
from core.library.records.record import FileReference
from core.system.clock import now
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.manifest import (
    Artefact,
    JobState,
    ProcessingManifest,
    SourceRecord,
    TrackRecord,
)
from stemcrate.schemas.search import TrackQuery
from tests.signals import make_song, write_song


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "data")


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    return write_song(path, make_song(1.0, 22_050), 22_050).read_bytes()


def ended_job(store: JobStore, data: bytes, state: JobState = JobState.COMPLETED) -> str:
    """Leave a job on disk as a process does that dies at the very end of it."""
    job_id = new_job_id()
    with store.open_upload("Band - Song.wav", 10**7) as writer:
        writer.write(data)
        upload = writer.commit(job_id)
    source = SourceRecord(name=upload.name, sha256=upload.sha256, bytes=upload.n_bytes)
    stem = Artefact(
        name="v.wav",
        role="stem",
        label="vocals",
        stage="delivery",
        format="wav",
        sha256="0" * 64,
        bytes=1,
    )
    track = TrackRecord(
        index=0,
        source=source,
        state=state,
        artefacts=[stem],
        analysis=JobFacts(title="Song", artist="Band", camelot="8A"),
    )
    store.create(
        ProcessingManifest(
            job_id=job_id, state=state, created_at=now(), finished_at=now(), tracks=[track]
        )
    )
    return job_id


def job_ids(library: Library) -> list[set[str]]:
    tracks = library.search(TrackQuery()).tracks
    return [{job.job_id for job in library.record(track.id).jobs} for track in tracks]


def test_jobs_are_entered_once_and_forgotten_when_they_go(
    library: Library, store: JobStore, song: bytes
) -> None:
    first, second = ended_job(store, song), ended_job(store, song)
    ended_job(store, song[:-2], JobState.FAILED)
    ended_job(store, song[:-4], JobState.RUNNING)

    JobSweep(library, store).run()

    assert job_ids(library) == [{first, second}]
    (track,) = library.search(TrackQuery()).tracks
    assert (track.artist, track.title, track.camelot) == ("Band", "Song", "8A")
    store.delete(first)
    JobSweep(library, store).run()
    assert job_ids(library) == [{second}]
    library.remove(track.id)
    JobSweep(library, store).run()
    assert job_ids(library) == []


def test_a_file_of_the_users_own_outlives_the_job(
    library: Library, store: JobStore, song: bytes, tmp_path: Path
) -> None:
    """Though the disk that it lies on is not there when the job is deleted."""
    job_id = ended_job(store, song)
    JobSweep(library, store).run()
    (track,) = library.search(TrackQuery()).tracks
    record = library.record(track.id)
    unplugged = FileReference(path=str(tmp_path / "stick" / "song.wav"), bytes=1, modified_ns=1)
    record.files = [*record.files, unplugged]
    library.put(record)

    store.delete(job_id)
    JobSweep(library, store).run()

    (track,) = library.search(TrackQuery()).tracks
    assert track.paths == [unplugged.path]
    assert job_ids(library) == [set()]


@contextmanager
def catalogue_broken(database_url: str) -> Iterator[None]:
    """Take the table of tracks away for a while."""
    engine = open_engine(database_url)

    def rename(before: str, after: str) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text(f"alter table {before} rename to {after}"))

    rename("library_tracks", "hidden_tracks")
    yield
    rename("hidden_tracks", "library_tracks")


def test_a_catalogue_that_fails_is_tried_again(
    library: Library,
    store: JobStore,
    song: bytes,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The job does not see it, its entry is not lost, and it is not tried all the time."""
    moment = [0.0]
    sweep = JobSweep(library, store, clock=lambda: moment[0])
    job_id = ended_job(store, song)
    with catalogue_broken(database_url):
        sweep.run()
        assert "could not follow job" in caplog.text
        caplog.clear()
        sweep.run()
        assert caplog.text == ""
    moment[0] += RETRY_S

    sweep.run()

    assert job_ids(library) == [{job_id}]


def test_a_deletion_that_the_catalogue_missed_is_made_good(
    library: Library, store: JobStore, song: bytes, database_url: str
) -> None:
    job_id = ended_job(store, song)
    JobSweep(library, store).run()
    store.delete(job_id)
    with catalogue_broken(database_url):
        JobSweep(library, store).run()

    JobSweep(library, store).run()

    assert job_ids(library) == []
    assert library.noted_jobs() == set()
