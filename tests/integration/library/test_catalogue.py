"""The catalogue on both databases: search, order, pages, changes, and making it again."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from core.errors import InvalidOption, TrackNotFound
from core.library.catalogue.database import open_engine
from core.library.catalogue.models import Base
from core.library.library import Library
from core.library.records.record import CoverReference, FileReference
from stemcrate.schemas.corrections import CorrectionsChange
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.search import Bound, SortKey, TrackQuery
from stemcrate.schemas.sets import SetDescription
from tests.library_records import make_record, track_id

BOUNDS = {
    name: item
    for name, field in TrackQuery.model_fields.items()
    for item in field.metadata
    if isinstance(item, Bound)
}


def titles(library: Library, **query: Any) -> list[Any]:
    return [track.title for track in library.search(TrackQuery(**query)).tracks]


@pytest.fixture
def crate(library: Library) -> Library:
    """Six tracks that differ in what can be searched."""
    for record in (
        make_record(
            0,
            title="Träume",
            artist="Élan Vital",
            tags={"album": "Nachtfahrt", "genre": "Dub Techno"},
            tempo_bpm=87.0,
            camelot="8A",
            energy=3,
            integrated_loudness_lufs=-14.0,
            vocal_ratio=0.4,
            duration_s=200.0,
        ),
        make_record(1, title="Anthem", tempo_bpm=174.0, camelot="9A", energy=9, vocal_ratio=0.0),
        make_record(2, title="Bridge_100%", tempo_bpm=128.0, camelot="8B", energy=6),
        make_record(3, title="Clash", tempo_bpm=130.0, camelot="3A", energy=5, duration_s=400.0),
        make_record(4, title="Drone", artist=None, tempo_bpm=0.0, camelot=None),
        make_record(5, title="Echo", tempo_bpm=43.6, camelot="10A", integrated_loudness_lufs=-6.0),
    ):
        library.put(record)
    return library


def test_the_migrations_give_the_tables_of_the_models(database_url: str) -> None:
    """A model that no migration follows works on new databases in tests and on no old one."""
    engine = open_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": "library_version",
                "include_name": lambda name, kind, _: kind != "table" or name.startswith("library"),
            },
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_oldest_revision_can_be_left_and_reached_again(database_url: str) -> None:
    """A migration that cannot be undone is found when it is needed."""
    from alembic import command
    from alembic.config import Config

    from core.library.catalogue.database import MIGRATIONS

    engine = open_engine(database_url)
    for step in ("base", "head"):
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            go = command.downgrade if step == "base" else command.upgrade
            go(config, step)
        names = {n for n in sa.inspect(engine).get_table_names() if n != "library_version"}
        assert bool(names) is (step == "head")


def test_sqlite_keeps_a_journal_that_readers_need_not_wait_for(tmp_path: Path) -> None:
    """Without WAL a search waits for every import."""
    path = tmp_path / "new folder" / "100% mine.sqlite"
    open_engine(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_line_says_how_certain_tempo_and_key_are(library: Library) -> None:
    """A list showed a guess like a fact; the record alone knew."""
    library.put(make_record(0, tempo_confidence=0.16, key_confidence=0.9))
    library.put(make_record(1, title="Z"))
    guessed, unknown = library.search(TrackQuery()).tracks
    assert (guessed.tempo_confidence, guessed.key_confidence) == (0.16, 0.9)
    assert unknown.tempo_confidence is None


SEARCHES: list[tuple[dict[str, Any], list[str]]] = [
    ({"text": "traume elan"}, ["Träume"]),
    ({"text": "TECHNO nacht"}, ["Träume"]),
    ({"text": "0.wav"}, ["Träume"]),
    ({"text": "_100%"}, ["Bridge_100%"]),
    ({"text": "e_h"}, []),
    ({"text": "Träume Anthem"}, []),
    ({"key": "A minor"}, ["Träume"]),
    ({"key": "1m"}, ["Träume"]),
    ({"mixes_with": "Am"}, ["Anthem", "Bridge_100%", "Träume"]),
    ({"mixes_with": "8A", "key": "9A"}, ["Anthem"]),
    ({"mixes_with": "8A", "key": "3A"}, []),
    ({"tempo_min_bpm": 85, "tempo_max_bpm": 88}, ["Anthem", "Echo", "Träume"]),
    ({"tempo_min_bpm": 127}, ["Anthem", "Bridge_100%", "Clash", "Träume"]),
    ({"energy_min": 5, "energy_max": 6}, ["Bridge_100%", "Clash"]),
    ({"loudness_max_lufs": -10}, ["Träume"]),
    ({"duration_min_s": 190, "duration_max_s": 500}, ["Clash", "Träume"]),
    ({"vocals": "with"}, ["Träume"]),
    ({"vocals": "without"}, ["Anthem"]),
]


def test_search_finds_what_is_asked_and_nothing_else(crate: Any) -> None:
    """Accents, wildcards, half and double time, unknown facts: each is easily got wrong."""
    for query, found in SEARCHES:
        assert titles(crate, **query) == found, query


@pytest.mark.parametrize("fact", sorted({bound.fact for bound in BOUNDS.values()}))
def test_a_range_finds_what_lies_in_it(library: Any, fact: str) -> None:
    """A filter that is declared and not read would find everything."""
    of_ten = 10 if int in get_args(TrackFacts.model_fields[fact].annotation) else 1
    for n, value in enumerate((0.3, 0.5, 0.8, None)):
        facts: dict[str, Any] = {fact: None if value is None else value * of_ten}
        library.put(make_record(n, **{"duration_s": None, **facts}))
    fields = {bound.side: name for name, bound in BOUNDS.items() if bound.fact == fact}
    least, most = {fields["least"]: 0.45 * of_ten}, {fields["most"]: 0.55 * of_ten}
    assert titles(library, **least, **most) == ["Title 001"]
    assert "Title 003" not in titles(library, **least) + titles(library, **most)
    assert getattr(library.summary(track_id(1)), fact) == 0.5 * of_ten


def walk(library: Library, sort: Any, is_descending: Any) -> list[Any]:
    """Give every track that the pages of a listing hold."""
    seen, cursor = [], None
    while True:
        query = TrackQuery(sort=sort, descending=is_descending, limit=3, cursor=cursor)
        page = library.search(query)
        seen += page.tracks
        cursor = page.next_cursor
        if cursor is None:
            return seen


def test_pages_hold_every_track_once_in_order(library: Any) -> None:
    """Equal and unknown values on the edge of a page must neither repeat nor vanish."""
    for n in range(11):
        facts: dict[str, Any] = (
            {} if n % 4 == 3 else {"tempo_bpm": 100.0 + n // 3, "energy": 5, "camelot": "1A"}
        )
        artist = None if n % 4 == 3 else "Same"
        tags: dict[str, object] = {"genre": None if n % 4 == 3 else f"G{n % 3}"}
        library.put(make_record(n, title=f"T{n % 5}", artist=artist, tags=tags, **facts))
    for sort, is_descending in product(SortKey, (False, True)):
        seen = walk(library, sort, is_descending)
        assert sorted(track.id for track in seen) == sorted(track_id(n) for n in range(11)), sort
        if sort == SortKey.TEMPO:
            values = [track.tempo_bpm for track in seen]
            known = [value for value in values if value is not None]
            assert values[len(known) :] == [None] * (11 - len(known))
            assert known == sorted(known, reverse=is_descending)


def test_a_page_can_be_jumped_to(crate: Any) -> None:
    """A table of 10,000 rows was read from its top to show its end."""
    every = crate.search(TrackQuery()).tracks
    page = crate.search(TrackQuery(offset=4, limit=500))
    assert page.tracks == every[4:]
    assert (page.total, page.next_cursor) == (6, None)
    assert crate.search(TrackQuery(offset=6)).tracks == ()
    assert crate.search(TrackQuery(mixes_with="8A", limit=1)).total == 3
    first = crate.search(TrackQuery(limit=2, offset=1))
    after = crate.search(TrackQuery(cursor=first.next_cursor))
    assert (first.tracks + after.tracks, after.total) == (every[1:], None)
    with pytest.raises(InvalidOption) as caught:
        crate.search(TrackQuery(offset=1, cursor=first.next_cursor))
    assert caught.value.field == "offset"


def test_a_line_tells_genre_comment_and_cover_as_corrected(crate: Any) -> None:
    """A list showed the genre that had been corrected long ago."""
    record = make_record(7, tags={"genre": "Pop", "comment": "loud"})
    record.cover = CoverReference(sha256="0" * 64, mime="image/png")
    crate.put(record)
    crate.correct(record.id, CorrectionsChange(genre="Äther", comment=""))
    line = crate.summary(record.id)
    assert (line.genre, line.comment) == ("Äther", None)
    assert line.cover_url == f"/library/tracks/{record.id}/cover"
    assert crate.summary(track_id(0)).cover_url is None
    order = [t.genre for t in crate.search(TrackQuery(sort=SortKey.GENRE)).tracks]
    assert order[:3] == ["Äther", "Dub Techno", None]


def test_keys_are_sorted_round_the_wheel(crate: Any) -> None:
    """As text 10A comes before 3A."""
    found = crate.search(TrackQuery(sort=SortKey.KEY)).tracks
    assert [track.camelot for track in found] == ["3A", "8A", "8B", "9A", "10A", None]


def test_a_cursor_of_another_order_is_refused(crate: Any) -> None:
    """It would skip tracks without a word."""
    cursor = crate.search(TrackQuery(limit=2)).next_cursor
    for query in (
        TrackQuery(cursor=cursor, sort=SortKey.TEMPO),
        TrackQuery(cursor=cursor, descending=True),
        TrackQuery(cursor="nonsense"),
        TrackQuery(cursor="W10"),
    ):
        with pytest.raises(InvalidOption) as caught:
            crate.search(query)
        assert caught.value.field == "cursor"


def test_a_database_that_is_lost_is_made_again_from_the_records(crate: Any, tmp_path: Path) -> None:
    """The database is an index: losing it must cost nothing."""
    crate.put(make_record(9, hashes=np.arange(300), vectors={"mixture": [1.0, 2.0]}))
    before = crate.search(TrackQuery()).tracks
    again = Library(tmp_path / "data", f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert again.count() == 0
    assert again.rebuild() == 7
    assert again.search(TrackQuery()).tracks == before
    columns, other = crate.columns(), again.columns()
    np.testing.assert_array_equal(columns.numbers["tempo_bpm"], other.numbers["tempo_bpm"])
    np.testing.assert_array_equal(columns.descriptors, other.descriptors)


def test_a_damaged_record_costs_its_track_alone(crate: Any, tmp_path: Path) -> None:
    """One bad byte on disk must not make the library impossible to rebuild."""
    (record,) = (tmp_path / "data").rglob(f"{track_id(3)}.json")
    record.write_text("{")
    assert crate.rebuild() == 5
    with pytest.raises(TrackNotFound):
        crate.record(track_id(3))


def test_a_removed_track_is_gone_and_does_not_come_back(crate: Any) -> None:
    crate.remove(track_id(1))
    with pytest.raises(TrackNotFound):
        crate.remove(track_id(1))
    assert "Anthem" not in titles(crate)
    assert crate.rebuild() == 5


def test_a_file_that_was_rewritten_belongs_to_its_new_track(library: Library) -> None:
    """Writing tags gives a new SHA-256: the old track would stay for ever as a missing one."""
    library.put(make_record(1, paths=("/music/a.mp3",), packets="same"))
    kept = library.playlists.create("Set", [track_id(1)], SetDescription())
    library.put(make_record(2, paths=("/music/a.mp3",), packets="same"))
    assert titles(library) == ["Title 002"]
    assert library.playlists.get(kept.id).track_ids == [track_id(2)]


def test_a_rewritten_file_leaves_the_other_copies_of_its_old_track(library: Library) -> None:
    library.put(make_record(1, paths=("/music/a.mp3", "/music/b.mp3")))
    library.put(make_record(2, paths=("/music/a.mp3",)))
    assert library.summary(track_id(1)).paths == ["/music/b.mp3"]


def test_a_moved_file_is_found_again(library: Library, tmp_path: Path) -> None:
    """Otherwise every tidy-up doubles the paths of a library."""
    library.put(make_record(1))
    assert library.summary(track_id(1)).is_missing
    new = tmp_path / "moved.wav"
    new.touch()
    assert library.add_file(track_id(1), FileReference(path=str(new), bytes=0, modified_ns=0))
    assert library.summary(track_id(1)).paths == [str(new)]
    assert not library.summary(track_id(1)).is_missing


def test_ids_are_completed_where_that_is_certain(crate: Any) -> None:
    assert crate.find_id(track_id(2)[:8]) == track_id(2)
    for text in ("", "abc", "zzzzzzzz", "%%%%%%%%"):
        with pytest.raises(TrackNotFound):
            crate.find_id(text)


def test_columns_follow_the_library(library: Any) -> None:
    """A table that is kept in memory must not outlive a change, whoever made it."""
    library.put(
        make_record(
            1,
            tempo_bpm=120.0,
            vocals_s=[[1.0, 2.5], [3, 4]],
            mix_in_s=[0.0, 16.0],
            first_downbeat_s=0.5,
            stems=["drums", "vocals"],
            vectors={"drums": [9.0, 9.0], "mixture": [3.0, 4.0]},
        )
    )
    first = library.columns()
    assert library.columns() is first
    assert first.vocals_s[0].tolist() == [[1.0, 2.5], [3.0, 4.0]]
    assert first.mix_in_s.tolist() == [[0.0, 16.0]]
    assert np.isnan(first.mix_out_s).all()
    assert first.numbers["first_downbeat_s"].tolist() == [0.5]
    assert first.descriptors.tolist() == [[3.0, 4.0]]
    assert first.stems == (("drums", "vocals"),)
    library.put(make_record(2))
    second = library.columns()
    assert len(second.ids) == 2
    assert sum(passages is None for passages in second.vocals_s) == 1


def test_similar_compares_like_with_like(library: Library) -> None:
    """Vectors of another version have other meanings; a stem is compared with stems."""
    library.put(make_record(1, vectors={"mixture": [1, 0, 0], "drums": [0, 0, 1]}))
    library.put(make_record(2, vectors={"mixture": [1, 0.1, 0], "drums": [1, 0, 0]}))
    library.put(make_record(3, vectors={"mixture": [0, 1, 0], "drums": [0, 0, 2]}))
    library.put(make_record(4, vectors={"mixture": [1, 0, 0]}, version="test-2"))
    found = library.similar(track_id(1))
    assert [track.id for track, _ in found] == [track_id(2), track_id(3)]
    assert [value for _, value in found] == pytest.approx([1 / np.sqrt(1.01), 0.0], abs=1e-6)
    by_drums = library.similar(track_id(1), part="drums", limit=1)
    assert [(track.id, value) for track, value in by_drums] == [(track_id(3), 1.0)]
    with pytest.raises(InvalidOption):
        library.similar(track_id(4), part="drums")
    with pytest.raises(TrackNotFound):
        library.similar(track_id(7))


def test_many_writers_lose_nothing(tmp_path: Path, database_url: str) -> None:
    """Imports, jobs and requests write at the same time."""
    library = Library(tmp_path / "data", database_url)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: library.put(make_record(n)), range(30)))
    assert library.count() == 30
