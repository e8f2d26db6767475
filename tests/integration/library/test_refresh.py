"""Tracks of an older analysis: found, analysed again, and nothing else of them touched."""

from pathlib import Path

import pytest

from core.analysis.store import FactStore
from core.analysis.version import ANALYSIS_VERSION
from core.library.intake.importing import SourceFile, import_files
from core.library.intake.refresh import refresh
from core.library.library import Library
from core.library.records.record import DescriptorRecord, JobReference, LibraryRecord
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.tags import TextTags
from tests.library_records import make_record
from tests.signals import make_song, write_song


@pytest.fixture
def store(tmp_path: Path) -> FactStore:
    return FactStore(tmp_path / "data", 10**9)


@pytest.fixture
def songs(tmp_path: Path) -> list[Path]:
    names = ("one", "two", "three")
    return [
        write_song(tmp_path / f"{name}.wav", make_song(3.0, 22_050, seed=seed), 22_050)
        for seed, name in enumerate(names)
    ]


@pytest.fixture
def added(library: Library, store: FactStore, songs: list[Path]) -> list[str]:
    sources = [SourceFile(path, path.name) for path in songs]
    report = import_files(library, sources, store=store, n_processes=1)
    assert len(report.added) == 3
    return [_track(library, path).id for path in songs]


def _track(library: Library, path: Path) -> LibraryRecord:
    return library.record(library.known_files([str(path)])[str(path)].track_id)


def _age(record: LibraryRecord) -> None:
    """Make a record one of an installation before versions were kept, with marks of its owner."""
    record.analysis_version = None
    record.facts.tempo_bpm = 1.0
    record.title = "Mine"
    record.tags = TextTags(genre="House")
    record.jobs = [JobReference(job_id="job", track_index=0, stems=["vocals"])]
    record.facts.vocals_s = [(0.5, 1.5)]
    record.facts.vocal_ratio = 0.3
    assert record.descriptors is not None
    vectors = record.descriptors.vectors
    record.descriptors = DescriptorRecord(
        version=record.descriptors.version, vectors={**vectors, "vocals": vectors["mixture"]}
    )


def test_what_was_added_is_not_stale(library: Library, added: list[str]) -> None:
    assert library.stale_tracks(ANALYSIS_VERSION) == ()
    assert {track.id for track in library.stale_tracks("next")} == set(added)


def test_a_refresh_replaces_the_facts_and_nothing_else(
    library: Library, store: FactStore, added: list[str]
) -> None:
    """What a user wrote, and what only stems tell, cannot be found again in the file."""
    before = library.record(added[0])
    assert library.change(added[0], _age)
    assert [track.id for track in library.stale_tracks(ANALYSIS_VERSION)] == [added[0]]
    report = refresh(library, store=store, n_processes=1)
    assert (report.refreshed, report.missing, report.refused) == ([added[0]], [], [])
    after = library.record(added[0])
    assert after.facts.tempo_bpm == before.facts.tempo_bpm
    assert after.analysis_version == ANALYSIS_VERSION
    assert (after.title, after.tags.genre) == ("Mine", "House")
    assert after.facts.vocals_s == [(0.5, 1.5)]
    assert after.descriptors is not None
    assert set(after.descriptors.vectors) == {"mixture", "vocals"}
    assert [job.job_id for job in after.jobs] == ["job"]
    assert (after.added_at, after.fingerprint) == (before.added_at, before.fingerprint)
    assert library.stale_tracks(ANALYSIS_VERSION) == ()


def test_a_refresh_goes_on_where_it_was_and_names_what_it_cannot_do(
    library: Library, store: FactStore, songs: list[Path], added: list[str]
) -> None:
    """An unplugged disk and a file that was written over must not stop the rest."""
    for track_id in added:
        library.change(track_id, lambda record: setattr(record, "analysis_version", "1"))
    songs[1].unlink()
    songs[2].write_bytes(b"another file")
    steps: list[tuple[int, int, str]] = []

    def stop(*step: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh(library, store=store, n_processes=1, progress=stop)
    report = refresh(library, store=store, n_processes=1, progress=lambda *step: steps.append(step))
    assert report.missing == [added[1]]
    assert [Path(refusal.path) for refusal in report.refused] == [songs[2]]
    stale = {track.id for track in library.stale_tracks(ANALYSIS_VERSION)}
    assert stale == {added[1], added[2]}
    was_done_before = added[0] not in report.refreshed
    assert len(steps) == 2 - was_done_before  # a file that is refused is tried again


def test_a_record_of_before_is_read_and_stale(library: Library, added: list[str]) -> None:
    """An old data folder must open, and say that nobody knows what made its facts."""
    text = library.record(added[0]).model_dump_json(exclude={"analysis_version"})
    record = LibraryRecord.model_validate_json(text)
    assert record.analysis_version is None
    library.put(record)
    assert [track.id for track in library.stale_tracks(ANALYSIS_VERSION)] == [added[0]]


def test_newer_facts_replace_those_of_the_same_name_alone() -> None:
    """A job that looked for the tempo only knows no key, and no version of all facts."""
    record = make_record(0)
    record.facts = TrackFacts(tempo_bpm=100.0, key="A minor")
    record.take_facts(TrackFacts(tempo_bpm=101.0, title="Not a fact"), None)
    assert record.facts.model_dump() == {"tempo_bpm": 101.0, "key": "A minor"}
