"""Mixxx on a virtual screen: what a real DJ program makes of a folder, read from its database."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from core.system.processes import kill_group, start_group
from tests.conditions import PATIENCE_S

_FOLDER_BOX = "Choose music library directory"
_SOUND_BOX = "No Output Devices"
_STARTS = 3  # of which one in many scans nothing
# Places in the window at 1600 x 1000, of Debian's Mixxx 2.3 in its default skin.
_CONTINUE = (266, 126)  # in the box about sound devices
_TRAKTOR = (67, 658)
_SERATO = (66, 676)
_SERATO_ARROW = (13, 676)
_SERATO_DATABASE = (80, 694)
# iTunes asks for a file, and neither of the two is looked at here.
_SETTINGS = """[Library]
RescanOnStartup 1
ShowITunesLibrary 0
ShowRekordboxLibrary 0

[Config]
Version 2.3.3
"""


class Mixxx:
    """A private Mixxx: home, settings and screen of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._settings = folder / "settings"
        self._settings.mkdir()
        self._log = folder / "mixxx.log"
        self._database = self._settings / "mixxxdb.sqlite"
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "QT_QPA_PLATFORM": "xcb",
            "XDG_RUNTIME_DIR": str(runtime),
        }

    def import_all(self, music: Path, *, n_tracks: int) -> None:
        """Scan a folder and open the Traktor and Serato libraries below home."""
        with self._screen():
            with self._running():
                # Earlier, its tables may be half made.
                wait_for(lambda: bool(self._windows(_FOLDER_BOX)), "its first start")
            with closing(sqlite3.connect(self._database)) as database:
                database.execute("INSERT INTO directories VALUES (?)", (str(music),))
                database.commit()
            (self._settings / "mixxx.cfg").write_text(_SETTINGS)
            for _ in range(_STARTS):
                with self._running():
                    if not comes_true(lambda: self.count("library") == n_tracks):
                        continue
                    self._open_main_window()
                    self._click_until("traktor_playlist_tracks", [_TRAKTOR])
                    self._click_until(
                        "serato_playlist_tracks", [_SERATO, _SERATO_ARROW, _SERATO_DATABASE]
                    )
                    return
        log = self._log.read_text(errors="replace")
        raise TimeoutError(f"Mixxx did not scan its folder: {log[-2000:]}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read from its database."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()

    def count(self, table: str) -> int | None:
        """Count the rows of a table; None while there is no such table."""
        try:
            return self.rows(f"SELECT count(*) FROM {table}")[0][0]
        except sqlite3.OperationalError:
            return None

    @contextmanager
    def _screen(self) -> Iterator[None]:
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, pass_fds=[write], stdout=quiet, stderr=quiet) as process:
            os.close(write)
            try:
                with os.fdopen(read) as number:
                    self._environment["DISPLAY"] = f":{number.readline().strip()}"
                yield
            finally:
                process.terminate()

    @contextmanager
    def _running(self) -> Iterator[None]:
        with self._log.open("ab") as log:
            command = ["mixxx", "--settingsPath", f"{self._settings}/"]
            process = start_group(command, env=self._environment, stdout=log, stderr=log)
            try:
                yield
            except TimeoutError as error:
                error.add_note(self._log.read_text(errors="replace")[-2000:])
                raise
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    kill_group(process)
                    process.wait()

    def _open_main_window(self) -> None:
        """Leave the box about sound devices, and give the window its size."""

        def leave() -> bool:
            for window in self._windows(_SOUND_BOX):
                self._xdo("mousemove", "--window", window, *map(str, _CONTINUE), "click", "1")
            return not self._windows(_SOUND_BOX)

        wait_for(lambda: bool(self._windows(_SOUND_BOX)), "the first box")
        wait_for(leave, "the main window")
        for window in self._windows("^Mixxx$"):
            self._xdo("windowmove", window, "0", "0", "windowsize", window, "1600", "1000")
            wait_for(partial(self._is_full_size, window), "its size")

    def _is_full_size(self, window: str) -> bool:
        geometry = self._xdo("getwindowgeometry", "--shell", window)
        return "WIDTH=1600" in geometry and "HEIGHT=1000" in geometry

    def _click_until(self, table: str, places: list[tuple[int, int]]) -> None:
        """Click through the side bar until a library has arrived in its table."""

        def click() -> bool:
            for x, y in places:
                self._xdo("mousemove", str(x), str(y), "click", "1")
                if comes_true(lambda: bool(self.count(table)), seconds=1.5):
                    return True
            return False

        wait_for(click, table)
        settled: list[int | None] = [None]

        def is_settled() -> bool:
            settled.append(self.count(table))
            return settled[-1] == settled[-2]

        wait_for(is_settled, table)

    def _windows(self, name: str) -> list[str]:
        return self._xdo("search", "--name", name).split()

    def _xdo(self, *arguments: str) -> str:
        command = ["xdotool", *arguments]
        return subprocess.run(
            command,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        ).stdout


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Poll a condition of another process, which cannot be waited for."""
    if not comes_true(condition):
        raise TimeoutError(f"Mixxx did not come to {what}")


def comes_true(condition: Callable[[], bool], *, seconds: float = PATIENCE_S) -> bool:
    """Tell whether a condition holds at some time within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def beat_frames(beats: bytes) -> list[int]:
    """Read the beats of a ``BeatMap-1.0``: messages (field 1) of one varint (field 1), frames."""
    frames, at = [], 0
    while at < len(beats):
        assert beats[at] == 0x0A
        message = beats[at + 2 : at + 2 + beats[at + 1]]
        value = 0
        assert message[0] == 0x08
        for position, byte in enumerate(message[1:5]):
            value |= (byte & 0x7F) << (7 * position)
            if not byte & 0x80:
                break
        frames.append(value)
        at += 2 + beats[at + 1]
    return frames
