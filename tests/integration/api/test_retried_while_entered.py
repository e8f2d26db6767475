"""A job that is tried again while the library enters what it has completed."""

from pathlib import Path

import pytest

from core.library.intake.job_tracks import enter_job
from core.library.library import Library
from core.library.records.record import JobEntry
from stemcrate.schemas.manifest import JobState
from tests.integration.api.apps import open_client, run_here, services_of, submit


@pytest.mark.slow
def test_what_the_next_try_completes_is_added_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library noted the job as whole, and never looked at it again."""
    with open_client(tmp_path) as client:
        services = services_of(client)
        job_id = submit(client, "a.wav", "b.wav", model="none", stages="tempo")
        run_here(client, job_id)
        with services.store.update(job_id) as manifest:  # as if the disk had been full
            manifest.tracks[1].state = JobState.FAILED
        note = Library.note_job

        def note_and_try_again(self: Library, entry: JobEntry) -> None:
            note(self, entry)
            monkeypatch.setattr(Library, "note_job", note)
            with services.store.update(job_id) as current:
                current.n_retries += 1
                current.state = JobState.QUEUED

        monkeypatch.setattr(Library, "note_job", note_and_try_again)
        enter_job(services.library, services.store, job_id)
        entry = services.library.noted_job(job_id)
        assert entry is not None
        assert not entry.is_complete

        with services.store.update(job_id) as manifest:
            manifest.tracks[1].state = manifest.state = JobState.COMPLETED
        enter_job(services.library, services.store, job_id)
        entry = services.library.noted_job(job_id)
        assert entry is not None
        assert entry.is_complete
        found = {track.source.sha256 for track in services.store.load(job_id).tracks}
        assert set(entry.track_ids) == found
        assert all(services.library.find_record(track_id) for track_id in found)
