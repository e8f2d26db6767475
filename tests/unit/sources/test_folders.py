"""Files of watched folders that have stopped growing, by a clock of the test's own."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.sources import folders
from core.sources.folders import FileState, FolderWatch, look_at


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(folders, "time", SimpleNamespace(monotonic=clock.monotonic))
    monkeypatch.setattr(folders, "STEP_MS", 20)
    return clock


class Watched:
    """A watched folder; `look` returns the names of what is ready."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: set[tuple[str, FileState]] = set()
        self.watch = FolderWatch(
            [folder],
            without=[folder / "results"],
            quiet_s=2.0,
            is_known=lambda path, state: (path.name, state) in self.known,
        )
        self.stopping = threading.Event()
        self.rounds: Iterator[list[Path]] = self.watch.rounds(self.stopping)

    def look(self) -> list[str]:
        return sorted(path.name for path in next(self.rounds))


@pytest.fixture
def watched(tmp_path: Path, clock: Clock) -> Iterator[Watched]:
    folder = tmp_path / "music"
    (folder / "results").mkdir(parents=True)
    watched = Watched(folder)
    yield watched
    watched.stopping.set()


def test_a_file_is_ready_when_it_has_not_changed_for_a_while(
    watched: Watched, clock: Clock
) -> None:
    """Half a file, still being copied, became a job."""
    path = watched.folder / "song.wav"
    path.write_bytes(b"a")
    assert watched.look() == []
    for _ in range(3):
        clock.now_s += 1.9
        with path.open("ab") as file:
            file.write(b"a")
        assert watched.look() == []
    clock.now_s += 1.9
    assert watched.look() == []
    clock.now_s += 0.2
    assert watched.look() == ["song.wav"]
    assert watched.look() == ["song.wav"]  # until it was handled
    watched.watch.forget(path)
    assert watched.look() == []


def test_only_audio_that_is_new_is_looked_at(watched: Watched, clock: Clock) -> None:
    """Results became jobs, whose results became jobs."""
    for name in ("song.wav", "SONG.FLAC", "known.wav", "notes.txt", ".hidden.wav", "song.wav.part"):
        (watched.folder / name).write_bytes(b"a")
    (watched.folder / "results" / "stem.wav").write_bytes(b"a")
    state = look_at(watched.folder / "known.wav")
    assert state is not None
    watched.known.add(("known.wav", state))
    watched.look()
    clock.now_s += 3.0
    assert watched.look() == ["SONG.FLAC", "song.wav"]
    (watched.folder / "song.wav").unlink()
    assert watched.look() == ["SONG.FLAC"]


def test_what_the_system_does_not_tell_is_found_later(
    watched: Watched, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Network shares tell of no change."""
    monkeypatch.setattr(folders, "watch", lambda *_, **__: iter([set()] * 9))
    assert watched.look() == []
    (watched.folder / "song.wav").write_bytes(b"a")
    clock.now_s += folders.LIST_EVERY_S + 1.0
    assert watched.look() == []
    clock.now_s += 3.0
    assert watched.look() == ["song.wav"]
