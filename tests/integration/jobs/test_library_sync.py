"""Jobs that ended are in the library, jobs that were deleted are not, whatever dies in between."""

import io

import soundfile
from filelock import FileLock

from core.library.catalogue.summary import TrackSummary
from stemcrate.schemas.search import TrackQuery
from tests.integration.jobs.installation import Installation, on_both_databases
from tests.signals import make_song

RATE = 22_050


def song(seed: int = 0) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, make_song(1.0, RATE, seed=seed).T, RATE, format="WAV")
    return file.getvalue()


def tracks(house: Installation) -> tuple[TrackSummary, ...]:
    return house.library.search(TrackQuery()).tracks


def jobs_of(house: Installation) -> list[list[str]]:
    records = [house.library.record(track.id) for track in tracks(house)]
    return [sorted(job.job_id for job in record.jobs) for record in records]


@on_both_databases
def test_jobs_enter_the_library_by_themselves_and_leave_it_with_their_deletion(
    house: Installation,
) -> None:
    """Two jobs with the same song are one track, which goes with the second of them."""
    house.start_worker()
    first, second = house.submit_song(song()), house.submit_song(song())

    house.wait_until(lambda: jobs_of(house) == [[first, second]])

    (track,) = tracks(house)
    assert track.stems == ["work"]
    house.service.delete(first)
    assert jobs_of(house) == [[second]]
    house.service.delete(second)
    assert tracks(house) == ()
    # The worker may have been about to note the second as entered.
    house.wait_until(lambda: house.library.noted_jobs() == set())


@on_both_databases
def test_a_worker_killed_at_the_end_of_its_job_loses_no_entry(house: Installation) -> None:
    """The job is over, nobody would look at it again: the next worker must."""
    with FileLock(house.data_dir / "locks" / "library-sweep.lock"):
        worker = house.start_worker()
        job_id = house.submit_song(song())
        assert house.wait_for_end(job_id) == "completed"
        worker.kill()
    house.wait_until(worker.leaves_no_orphan)
    assert tracks(house) == ()

    house.start_worker()

    house.wait_until(lambda: jobs_of(house) == [[job_id]])
