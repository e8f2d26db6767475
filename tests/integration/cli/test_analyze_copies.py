"""Copies of one recording in one run of stemcrate analyze."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile

from cli.analysing import AnalysisRecord, AnalysisTask, run_tasks
from core.analysis.store import FactStore
from core.audio.tagging.tags import read_tags
from tests.signals import make_song

NO_STORE = FactStore(Path(), 0)


@pytest.fixture
def crate(tmp_path: Path) -> list[Path]:
    """Two copies, and another recording of the same size."""
    paths = [tmp_path / f"{name}.wav" for name in ("Band - One", "Two", "Other")]
    soundfile.write(paths[0], make_song(3.0, 22_050, seed=1).T, 22_050)
    shutil.copy(paths[0], paths[1])
    soundfile.write(paths[2], make_song(3.0, 22_050, seed=2).T, 22_050)
    return paths


def run(paths: list[Path], **changes: Any) -> dict[str, AnalysisRecord]:
    tasks = [
        AnalysisTask(path, path.with_suffix(".analysis.json"), (70.0, 180.0), NO_STORE, **changes)
        for path in paths
    ]
    ended = {task.path.stem: outcome for task, outcome in run_tasks(tasks, 2)}
    return {name: o for name, o in ended.items() if isinstance(o, AnalysisRecord)}


@pytest.mark.parametrize("is_forced", [False, True])
def test_copies_are_analysed_once_unless_forced(crate: list[Path], is_forced: bool) -> None:
    """They were known to each other only in the next run."""
    records = run(crate, is_forced=is_forced)
    assert {n: r.is_known for n, r in records.items()} == {
        "Band - One": False,
        "Two": not is_forced,
        "Other": False,
    }
    one, two = records["Band - One"].facts, records["Two"].facts
    assert (one["artist"], one["title"], two["artist"], two["title"]) == (
        "Band",
        "One",
        None,
        "Two",
    )
    own = {"path", "title", "artist"}
    assert {k: v for k, v in one.items() if k not in own} == {
        k: v for k, v in two.items() if k not in own
    }
    assert json.loads(crate[1].with_suffix(".analysis.json").read_text()) == two
    assert two["path"] == str(crate[1])


def test_copies_get_the_same_tags_and_say_what_they_hash_to_then(crate: list[Path]) -> None:
    records = run(crate[:2], writes_tags=True)
    assert read_tags(crate[0]).bpm == read_tags(crate[1]).bpm is not None
    assert records["Band - One"].facts["sha256"] == records["Two"].facts["sha256"]


def test_a_copy_of_what_cannot_be_read_fails_by_its_own_name(crate: list[Path]) -> None:
    for path in crate[:2]:
        path.write_bytes(b"no music" * 100)
    tasks = [AnalysisTask(path, None, (70.0, 180.0), NO_STORE) for path in crate[:2]]
    ended = {task.path.stem: str(outcome) for task, outcome in run_tasks(tasks, 2)}
    assert ended["Two"].startswith("Two.wav ")
    assert ended["Band - One"].startswith("Band - One.wav ")
