"""Libraries of several owners in one database and one data folder."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import TrackNotFound
from core.library.libraries import Libraries
from core.library.library import Library
from core.system.database import engine_for, is_sqlite
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.search import TrackQuery
from tests.library_records import make_record, track_id

OWNERS = (LOCAL, "anna", "anna-2", "a" * 40)


@pytest.fixture
def libraries(tmp_path: Path, database_url: str) -> Libraries:
    return Libraries(tmp_path / "data", database_url)


def test_each_has_tables_and_records_apart(libraries: Libraries, database_url: str) -> None:
    """One query that forgets a condition shows everybody's tracks; here it has no others."""
    for n, owner in enumerate(OWNERS):
        libraries.of(owner).put(make_record(0, title=f"of {owner}"))
        libraries.of(owner).put(make_record(n + 1))
    for n, owner in enumerate(OWNERS):
        library = libraries.of(owner)
        assert library.count() == 2
        assert library.summary(track_id(0)).title == f"of {owner}"
        assert library.columns().ids == tuple(sorted((track_id(0), track_id(n + 1))))
        with pytest.raises(TrackNotFound):
            library.record(track_id((n + 1) % len(OWNERS) + 1))
    libraries.of("anna").remove(track_id(0))
    assert [libraries.of(owner).count() for owner in OWNERS] == [2, 1, 2, 2]
    assert libraries.owners() == [LOCAL, *sorted(OWNERS[1:])]
    if not is_sqlite(database_url):
        with engine_for(database_url).connect() as connection:
            schemas = sa.inspect(connection).get_schema_names()
        assert {"owner_anna", "owner_anna_2", f"owner_{'a' * 40}"} <= set(schemas)


def test_a_catalogue_is_made_again_from_its_owners_records(
    tmp_path: Path, libraries: Libraries, database_url: str
) -> None:
    libraries.of("anna").put(make_record(1))
    libraries.of("ben").put(make_record(2))
    assert Library(tmp_path / "data", database_url, "anna").rebuild() == 1
    (track,) = libraries.of("anna").search(TrackQuery()).tracks
    assert track.id == track_id(1)


@pytest.mark.parametrize("owner", ["", "..", "a/b", "Anna"])
def test_no_other_text_becomes_a_folder(libraries: Libraries, owner: str) -> None:
    with pytest.raises(ValueError, match="no owner"):
        libraries.of(owner)
