"""Watched folders through real worker processes: each recording once, for good."""

import hashlib
import shutil
from pathlib import Path

import pytest

from core.jobs.watched import WatchedFiles
from core.sources.folders import FileState
from tests.conditions import wait_until
from tests.integration.jobs.installation import Installation, on_both_databases
from tests.signals import make_song, write_song


@pytest.fixture
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched") / "music"
    (folder / "sub").mkdir(parents=True)
    return folder


def song(path: Path, seed: int) -> Path:
    return write_song(path, make_song(0.5, 8000, seed=seed), 8000)


def names(house: Installation) -> list[str]:
    jobs = map(house.store.load_if_readable, house.store.job_ids())
    return sorted(job.tracks[0].source.name for job in jobs if job is not None)


@on_both_databases
def test_contents_are_claimed_once(house: Installation) -> None:
    """Two workers made two jobs of one file."""
    files = WatchedFiles(house.url)
    job_id, state = files.claim("a" * 64)
    assert state == "claimed"
    assert files.claim("a" * 64) == (job_id, "claimed")
    files.note("a" * 64, "submitted")
    assert files.claim("a" * 64) == (job_id, "submitted")
    assert files.in_progress() == [("a" * 64, job_id)]
    files.keep("/music/a", FileState(1, 2), "a" * 64)
    files.keep("/music/a", FileState(2, 3), "b" * 64)
    assert [files.is_known("/music/a", FileState(n, n + 1)) for n in (1, 2)] == [False, True]


@pytest.mark.slow
def test_files_become_jobs_once_and_results_go_where_asked(
    house: Installation, music: Path
) -> None:
    """A file was taken while it was copied, twice under two names, or again after a restart."""
    early = song(music / "early.wav", 1)
    # A worker died between the claim of a file and its job.
    claimed, _ = WatchedFiles(house.url).claim(hashlib.sha256(early.read_bytes()).hexdigest())
    (music / "notes.txt").write_text("no audio")
    (music / "broken.wav").write_bytes(b"no audio")
    results = music / "results"
    first = house.start_worker(watch_here=[str(music)], results=str(results))
    house.wait_until(lambda: names(house) == ["early.wav"])
    assert house.store.job_ids() == [claimed]
    whole = song(music.parent / "late.wav", 2).read_bytes()
    with (music / "sub" / "late.wav").open("wb") as growing:
        for start in range(0, len(whole), 3000):
            growing.write(whole[start : start + 3000])
            growing.flush()
            assert len(names(house)) == 1
    house.wait_until(lambda: len(names(house)) == 2)
    shutil.copy(music / "early.wav", music / "copy.wav")
    house.wait_until(lambda: len(list(results.glob("[!.]*/manifest.json"))) == 2)
    files = WatchedFiles(house.url)

    def knows(path: Path) -> bool:
        found = path.stat()
        return files.is_known(str(path), FileState(found.st_size, found.st_mtime_ns))

    house.wait_until(lambda: knows(music / "copy.wav") and knows(music / "broken.wav"))
    first.kill()
    house.wait_until(first.leaves_no_orphan)
    for job_id in house.store.job_ids():
        house.service.delete(job_id)

    song(music / "while away.wav", 3)
    house.start_worker(watch_here=[str(music)], results=str(results))
    house.wait_until(lambda: names(house) == ["while away.wav"])
    wait_until(lambda: len(list(results.glob("[!.]*/manifest.json"))) == 3)
    assert {path.name[:-9] for path in results.iterdir()} == {"early", "late", "while away"}
    assert names(house) == ["while away.wav"]
