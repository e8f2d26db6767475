"""Runs of the enrichers through the real queue and a real worker process."""

from pathlib import Path

import pytest
import soundfile

from core.analysis.store import FactStore
from core.enrichment.settings import EnricherSettings
from core.errors import InvalidOption, TrackNotFound
from core.jobs.enrichment_runner import EnrichmentRunner
from core.jobs.enrichments import EnrichmentService
from core.library.intake.importing import SourceFile, import_files
from stemcrate.schemas.enrichment import EnrichmentRunRecord, EnrichmentStatus
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.owners import LOCAL
from tests.integration.jobs.installation import Installation
from tests.signals import make_song

RATE = 44_100


def service(house: Installation, *names: str) -> EnrichmentService:
    return EnrichmentService(house.store.storage, house.queue, house.library, LOCAL, names)


def add_songs(house: Installation, folder: Path, n: int) -> list[str]:
    sources = []
    for seed in range(n):
        path = folder / f"song {seed}.wav"
        soundfile.write(path, make_song(8.0, RATE, seed=seed).T, RATE, subtype="PCM_16")
        sources.append(SourceFile(path, path.name))
    store = FactStore(house.data_dir, 10**9)
    return import_files(house.library, sources, store=store, n_processes=1).added


@pytest.mark.slow
def test_a_worker_enriches_what_lacks_a_result(house: Installation, tmp_path: Path) -> None:
    ids = add_songs(house, tmp_path, 2)
    house.start_worker(enrichers=("character",))
    runs = service(house, "character")
    record = runs.request(None)
    house.wait_until(lambda: runs.runs.load(record.id).state.is_final)
    done = runs.runs.load(record.id)
    assert (done.state, done.n_tracks, done.n_done, done.n_failed) == (JobState.COMPLETED, 2, 2, 0)
    for track_id in ids:
        found = house.library.enrichment(track_id).view()
        assert found.status == EnrichmentStatus.DONE
        assert found.outcomes[0].arousal is not None


def test_a_run_begun_anew_goes_on_with_the_missing_tracks(
    house: Installation, tmp_path: Path
) -> None:
    """The next worker did everything again, and what was asked for twice was found twice."""
    ids = add_songs(house, tmp_path, 1)
    runs = service(house, "character")
    record = runs.request(ids)
    settings = EnricherSettings(names=("character",))
    runner = EnrichmentRunner(house.store.storage, house.url, settings)
    begun = runs.runs.begin(record.id)
    runner._carry_out(begun)
    (first,) = house.library.enrichment(ids[0]).view().outcomes
    runner.run(record.id)
    ended = runs.runs.load(record.id)
    assert (ended.state, ended.attempt, ended.n_done) == (JobState.COMPLETED, 2, 1)
    assert house.library.enrichment(ids[0]).view().outcomes == [first]


def test_unknown_enrichers_fail_the_run_and_name_the_known(house: Installation) -> None:
    runs = service(house, "nonsense")
    record = runs.request(None)
    EnrichmentRunner(house.store.storage, house.url, EnricherSettings(names=("nonsense",))).run(
        record.id
    )
    ended: EnrichmentRunRecord = runs.runs.load(record.id)
    assert ended.error is not None
    assert ended.error.code == "invalid_option"
    assert "character" in ended.error.hint


def test_what_cannot_be_done_is_refused_at_once(house: Installation) -> None:
    with pytest.raises(InvalidOption, match="No enricher is switched on"):
        service(house).request(None)
    with pytest.raises(TrackNotFound):
        service(house, "character").request(["0" * 64])
    assert service(house).runs.all() == []
