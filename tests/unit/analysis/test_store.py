"""The store of facts: what comes back, what does not, and what it never costs."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import core.analysis.store
from core.analysis.store import SUFFIX, FactStore
from stemcrate.schemas.facts import KeyFacts, TempoFacts

SHA256 = "ab" * 32
LIMIT = 10**9


@pytest.fixture
def store(tmp_path: Path) -> FactStore:
    return FactStore(tmp_path, LIMIT)


def keep(store: FactStore, *, sha256: str = SHA256, bpm: float = 120.0) -> None:
    with store.recording(sha256) as known:
        known.put("tempo", {"range": [70, 180]}, TempoFacts(tempo_bpm=bpm), is_lasting=True)


def look(store: FactStore, *, sha256: str = SHA256) -> float | None:
    with store.recording(sha256) as known:
        found = known.get("tempo", {"range": [70, 180]}, TempoFacts)
        return None if found is None else found.tempo_bpm


def documents(folder: Path) -> Iterator[Path]:
    return folder.glob(f"facts/*/*{SUFFIX}")


def test_what_was_kept_comes_back_for_its_parameters_alone(store: FactStore) -> None:
    keep(store)
    with store.recording(SHA256) as known:
        found = known.get("tempo", {"range": [70, 180]}, TempoFacts)
        assert found == TempoFacts(tempo_bpm=120.0)
        assert known.get("tempo", {"range": [60, 150]}, TempoFacts) is None
        assert known.get("key", {"range": [70, 180]}, KeyFacts) is None
    assert look(store, sha256="cd" * 32) is None


def test_parts_of_several_processes_stand_side_by_side(store: FactStore) -> None:
    """The last stage that wrote would take the others' facts with it."""
    with store.recording(SHA256) as one, store.recording(SHA256) as other:
        one.put("key", {}, KeyFacts(key="A minor"), is_lasting=True)
        other.put("tempo", {"range": [70, 180]}, TempoFacts(tempo_bpm=90.0), is_lasting=True)
    with store.recording(SHA256) as known:
        assert known.get("key", {}, KeyFacts) == KeyFacts(key="A minor")
    assert look(store) == 90.0
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda bpm: keep(store, bpm=bpm), range(60, 90)))
    assert look(store) in range(60, 90)


def test_facts_of_stems_that_nothing_tells_apart_are_not_kept(store: FactStore) -> None:
    """Another model's drums would decide the tempo of every later job."""
    with store.recording(SHA256) as known:
        known.put("tempo", {"range": [70, 180]}, TempoFacts(tempo_bpm=1.0), is_lasting=False)
        assert known.get("tempo", {"range": [70, 180]}, TempoFacts)
    assert look(store) is None


@pytest.mark.parametrize("damage", [b"", b"no gzip", b"\x1f\x8b"])
def test_a_damaged_document_is_made_again(store: FactStore, tmp_path: Path, damage: bytes) -> None:
    """A disk that was full once must not stop a recording from being analysed ever again."""
    keep(store)
    (path,) = documents(tmp_path)
    path.write_bytes(damage or path.read_bytes()[:-20])
    assert look(store) is None
    keep(store)
    assert look(store) == 120.0


def test_another_version_of_the_analysis_knows_nothing(
    store: FactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts of a worse analyser, believed for ever, are what the version is there against."""
    keep(store)
    monkeypatch.setattr(core.analysis.store, "ANALYSIS_VERSION", "next")
    assert look(store) is None
    keep(store, bpm=121.0)
    assert look(store) == 121.0


def test_forced_facts_replace_those_that_are_kept(store: FactStore) -> None:
    keep(store)
    with store.recording(SHA256, is_forced=True) as known:
        assert not known.has("tempo", {"range": [70, 180]})
        known.put("tempo", {"range": [70, 180]}, TempoFacts(tempo_bpm=99.0), is_lasting=True)
    assert look(store) == 99.0


def test_what_was_found_before_an_error_is_kept(store: FactStore) -> None:
    """A job that is cancelled after its tempo need not find it again."""
    with pytest.raises(RuntimeError), store.recording(SHA256) as known:
        known.put("tempo", {"range": [70, 180]}, TempoFacts(tempo_bpm=88.0), is_lasting=True)
        raise RuntimeError
    assert look(store) == 88.0


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    """The folder must not grow with every recording that ever came by."""
    keep(FactStore(tmp_path, LIMIT))
    (path,) = documents(tmp_path)
    room_for_two = FactStore(tmp_path, int(2.5 * path.stat().st_size) * 2560)
    path.unlink()
    names = [f"ab{number:062}" for number in range(3)]
    for age, name in enumerate(names[:2]):
        keep(room_for_two, sha256=name)
        os.utime(path.with_name(f"{name}{SUFFIX}"), ns=(age, age))
    assert look(room_for_two, sha256=names[0])  # used last now
    keep(room_for_two, sha256=names[2])
    assert {path.name.removesuffix(SUFFIX) for path in documents(tmp_path)} == {names[0], names[2]}


def test_no_limit_at_all_keeps_nothing(tmp_path: Path) -> None:
    store = FactStore(tmp_path, 0)
    keep(store)
    assert look(store) is None
    assert not list(tmp_path.iterdir())


def test_facts_that_cannot_be_kept_fail_nothing(tmp_path: Path) -> None:
    """An analysis of an hour must not be lost because the data folder is read-only."""
    (tmp_path / "facts").write_text("a file where the folder should be")
    keep(FactStore(tmp_path, LIMIT))
