"""Corrections in the library, on both databases: found, kept, and never overwritten."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core.errors import TrackChanged, TrackNotFound
from core.library.corrections.records import version_of
from core.library.library import Library
from core.library.records.record import LibraryRecord
from core.sets.planning import SetPlanner
from stemcrate.schemas.corrections import CorrectionsChange
from stemcrate.schemas.facts import GridSegment, TrackFacts
from stemcrate.schemas.playlists import PlaylistRequest
from stemcrate.schemas.search import SortKey, TrackQuery
from tests.library_records import make_record, track_id

GRID = [GridSegment(start_s=0.0, tempo_bpm=64.0, n_beats=192, first_beat_in_bar=1)]
RHYTHM: dict[str, Any] = {"tempo_bpm": 64.0, "time_signature": "4/4", "beat_grid": GRID}


def correct(library: Library, number: int, **fields: Any) -> None:
    library.correct(track_id(number), CorrectionsChange.model_validate(fields))


def ids(library: Library, **query: Any) -> list[str]:
    return [track.id for track in library.search(TrackQuery(**query)).tracks]


@pytest.fixture
def crate(library: Library) -> Library:
    library.put(make_record(1, title="First", camelot="3A", key="Bb minor", energy=5, **RHYTHM))
    library.put(make_record(2, title="Second", tempo_bpm=128.0, camelot="8A", energy=5))
    return library


def test_corrected_facts_are_searched_sorted_and_listed(crate: Library) -> None:
    correct(crate, 1, title="Zürich", genre="House", key="8A", rating=4, tempo_bpm=128.5)
    assert ids(crate, key="8A") == [track_id(2), track_id(1)]
    assert ids(crate, key="3A") == []
    assert ids(crate, text="zurich house") == [track_id(1)]
    assert ids(crate, text="first") == []
    assert ids(crate, tempo_min_bpm=128.4, tempo_max_bpm=129.0) == [track_id(1)]
    assert ids(crate, rating_min=3) == [track_id(1)]
    assert ids(crate, sort=SortKey.RATING, descending=True) == [track_id(1), track_id(2)]
    summary = crate.summary(track_id(1))
    assert (summary.rating, summary.tempo_bpm, summary.camelot) == (4, 128.5, "8A")
    assert summary.corrected == ["title", "genre", "rating", "key", "grid"]
    assert crate.summary(track_id(2)).corrected == []


def test_sets_are_planned_with_corrected_facts(crate: Library) -> None:
    """64 BPM in 3A clashes; 128 BPM in 8A mixes."""
    planner = SetPlanner(crate)
    request = PlaylistRequest(name="x", tracks=[track_id(1), track_id(2)])
    (before,) = planner.create(request).plan.transitions
    correct(crate, 1, key="8A", grid=[{"op": "scale", "by": "2"}])
    (after,) = planner.create(request).plan.transitions
    assert "same key" in " ".join(after.reasons).lower() or after.score > before.score
    assert after.score > before.score
    ((found, _),) = planner.compatible(track_id(2))
    assert (found.id, found.tempo_bpm, found.camelot) == (track_id(1), 128.0, "8A")


def test_another_analysis_overwrites_no_correction(crate: Library) -> None:
    correct(crate, 1, tempo_bpm=128.0, key="8A", energy=9)

    def take(record: LibraryRecord) -> None:
        record.take_facts(
            TrackFacts(tempo_bpm=96.0, beat_grid=GRID, key="C major", camelot="8B", energy=2), "9"
        )

    assert crate.change(track_id(1), take)
    summary = crate.summary(track_id(1))
    assert (summary.tempo_bpm, summary.camelot, summary.energy) == (128.0, "8A", 9)
    assert crate.record(track_id(1)).facts.tempo_bpm == 96.0
    correct(crate, 1, tempo_bpm=None, key=None, energy=None)
    summary = crate.summary(track_id(1))
    assert (summary.tempo_bpm, summary.camelot, summary.energy) == (96.0, "8B", 2)


def test_corrections_survive_rebuild_and_removal(crate: Library) -> None:
    correct(crate, 1, title="Mine", rating=5)
    crate.rebuild()
    assert crate.summary(track_id(1)).title == "Mine"
    crate.remove(track_id(1))
    with pytest.raises(TrackNotFound):
        correct(crate, 1, title="Gone")
    crate.put(make_record(1, title="First"))
    assert (crate.summary(track_id(1)).title, crate.summary(track_id(1)).rating) == ("Mine", 5)


def test_corrections_follow_a_file_with_other_tags(crate: Library, tmp_path: Path) -> None:
    """A program that writes tags makes another track of the same audio."""
    song = str(tmp_path / "song.wav")
    crate.put(make_record(3, paths=(song,), packets="p" * 64, **RHYTHM))
    correct(crate, 3, tempo_bpm=128.0)
    crate.put(make_record(4, paths=(song,), packets="p" * 64, **RHYTHM))
    assert crate.summary(track_id(4)).tempo_bpm == 128.0
    crate.put(make_record(5, paths=(song,), packets="q" * 64, **RHYTHM))
    assert crate.summary(track_id(5)).tempo_bpm == 64.0


def test_changes_are_undone_one_by_one(crate: Library) -> None:
    correct(crate, 1, title="One")
    correct(crate, 1, title="Two", rating=1)
    assert crate.undo_correction(track_id(1)).corrections.title == "One"
    assert (crate.summary(track_id(1)).title, crate.summary(track_id(1)).rating) == ("One", None)
    crate.undo_correction(track_id(1))
    crate.undo_correction(track_id(1))
    assert crate.summary(track_id(1)).title == "First"
    assert crate.summary(track_id(1)).corrected == []


def test_the_last_of_two_writers_is_told(crate: Library) -> None:
    record = crate.record(track_id(1))
    seen = version_of(record, crate.corrections(track_id(1)))
    change = CorrectionsChange(title="One")
    crate.correct(track_id(1), change, versions=[seen])
    with pytest.raises(TrackChanged):
        crate.correct(track_id(1), CorrectionsChange(title="Two"), versions=[seen])
    with pytest.raises(TrackChanged):
        crate.undo_correction(track_id(1), versions=[seen])
    assert crate.summary(track_id(1)).title == "One"


def test_changes_at_the_same_time_are_all_kept(
    crate: Library, tmp_path: Path, database_url: str
) -> None:
    fields = ["album", "genre", "comment", "artist", "title"]

    def set_field(name: str) -> None:
        other = Library(tmp_path / "data", database_url)
        other.correct(track_id(1), CorrectionsChange.model_validate({name: name}))

    with ThreadPoolExecutor(len(fields)) as pool:
        list(pool.map(set_field, fields))
    kept = crate.corrections(track_id(1))
    assert sorted(kept.corrected_at) == sorted(fields)
    assert len(kept.history) == len(fields)
