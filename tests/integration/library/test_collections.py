"""Collections on both databases."""

from typing import Any

import pytest

from core.errors import CollectionNotFound, InvalidOption
from core.library.collections import describe_collection
from core.library.library import Library
from core.library.records.record import FileReference
from stemcrate.schemas.collections import CollectionChange, CollectionRequest, KeptFilter
from stemcrate.schemas.search import TrackQuery, TrackSearch
from tests.library_records import make_record, track_id


@pytest.fixture
def crate(library: Library) -> Library:
    for n in range(6):
        library.put(
            make_record(
                n,
                tempo_bpm=120.4 + n,
                tempo_confidence=0.3 if n == 1 else 0.9,
                camelot="8A" if n < 3 else "3B",
                key_confidence=0.2 if n == 5 else 0.9,
                energy=n + 1,
            )
        )
    return library


def titles(library: Library, collection: str, **query: Any) -> list[str]:
    found = library.search(TrackQuery(collection=collection, **query))
    assert found.total == len(found.tracks)
    return [track.title[-1] for track in found.tracks]


def ids(*numbers: int) -> list[str]:
    return [track_id(n) for n in numbers]


def test_a_collection_holds_tracks_and_a_search_narrows_it(crate: Library) -> None:
    made = crate.collections.create(CollectionRequest(name=" My\nset ", tracks=ids(4, 0, 4, 2)))
    assert made.name == "My set"
    assert titles(crate, made.id) == ["0", "2", "4"]
    assert titles(crate, made.id, key="8A", sort="energy", descending=True) == ["2", "0"]
    changed = crate.collections.change(
        made.id, CollectionChange(name="Ours", add=ids(0, 5), remove=ids(4, 3))
    )
    assert (changed.name, changed.track_ids) == ("Ours", ids(0, 2, 5))
    crate.remove(track_id(2))
    assert describe_collection(crate, crate.collections.get(made.id)).n_tracks == 2


def test_a_smart_collection_finds_its_tracks_by_itself(crate: Library) -> None:
    query = KeptFilter(energy_min=2, energy_max=5)
    made = crate.collections.create(CollectionRequest(name="Smart", query=query))
    assert titles(crate, made.id) == ["1", "2", "3", "4"]
    assert titles(crate, made.id, key="3B") == ["3", "4"]
    crate.put(make_record(7, title="Title 7", energy=5))
    assert titles(crate, made.id)[-1] == "7"
    crate.collections.change(made.id, CollectionChange(query=KeptFilter(energy_min=6)))
    assert titles(crate, made.id) == ["5"]


def test_what_does_not_fit_a_collection_is_refused(crate: Library) -> None:
    smart = crate.collections.create(CollectionRequest(name="S", query=KeptFilter(key="8A")))
    plain = crate.collections.create(CollectionRequest(name="P"))
    bad_key = KeptFilter(key="H")
    changes = (
        (smart.id, CollectionChange(add=ids(1)), "add"),
        (plain.id, CollectionChange(query=bad_key), "query"),
        (smart.id, CollectionChange(query=bad_key), "key"),
    )
    for collection_id, change, field in changes:
        with pytest.raises(InvalidOption) as caught:
            crate.collections.change(collection_id, change)
        assert caught.value.field == field
    for name, query, field in (("\n", None, "name"), ("x", bad_key, "key")):
        with pytest.raises(InvalidOption) as caught:
            crate.collections.create(CollectionRequest(name=name, query=query))
        assert caught.value.field == field
    crate.collections.delete(plain.id)
    for unknown in (plain.id, "../tracks", "x" * 1000):
        with pytest.raises(CollectionNotFound):
            crate.search(TrackQuery(collection=unknown))
    assert [c.name for c in crate.collections.all()] == ["S"]


def test_a_rewritten_file_keeps_its_place_in_collections(library: Library) -> None:
    """New tags make a new track; collections forgot the recording."""
    library.put(make_record(1, packets="same", paths=("/music/a.wav",)))
    made = library.collections.create(CollectionRequest(name="C", tracks=ids(1)))
    successor = make_record(2, packets="same", paths=("/music/a.wav",))
    successor.files = [FileReference(path="/music/a.wav", bytes=1, modified_ns=2)]
    library.put(successor)
    assert library.collections.get(made.id).track_ids == ids(2)


def test_ten_thousand_tracks_fit_a_collection(crate: Library) -> None:
    """A parameter for each track is more than a statement may have."""
    many = [track_id(n) for n in range(10_000)]
    made = crate.collections.create(CollectionRequest(name="All", tracks=many))
    assert titles(crate, made.id) == ["0", "1", "2", "3", "4", "5"]


def test_doubtful_tracks_are_found(crate: Library) -> None:
    def doubtful(what: Any) -> list[str]:
        return [t.title[-1] for t in crate.search(TrackQuery(doubtful=what)).tracks]

    assert (doubtful("tempo"), doubtful("key"), doubtful("either")) == (["1"], ["5"], ["1", "5"])


def test_the_map_counts_tracks_by_key_and_tempo(crate: Library) -> None:
    crate.put(make_record(7, tempo_bpm=121.0, camelot="8A"))
    crate.put(make_record(8, tempo_bpm=None, camelot="8A"))
    cells = [(c.camelot, c.tempo_bpm, c.n_tracks) for c in crate.map(TrackSearch()).cells]
    assert cells == [
        ("3B", 123, 1),
        ("3B", 124, 1),
        ("3B", 125, 1),
        ("8A", 120, 1),
        ("8A", 121, 2),
        ("8A", 122, 1),
    ]
    assert len(crate.map(TrackSearch(key="3B")).cells) == 3
