"""stemcrate library show, correct and undo, as a user runs them."""

from pathlib import Path

import pytest

from core.library.library import Library
from stemcrate.schemas.facts import GridSegment
from tests.integration.cli.shell import Shell
from tests.library_records import make_record, track_id

TRACK = track_id(1)[:12]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A library of one track at half its tempo."""
    shell = Shell(tmp_path)
    library = Library(shell.data, f"sqlite:///{shell.data / 'stemcrate.sqlite'}")
    beats = GridSegment(start_s=0.5, tempo_bpm=64.0, n_beats=192, first_beat_in_bar=1)
    library.put(
        make_record(1, title="Found", tempo_bpm=64.0, time_signature="4/4", beat_grid=[beats])
    )
    return shell


def test_a_track_is_corrected_shown_and_undone(shell: Shell) -> None:
    words = ("--title", "Right", "--key", "8A", "--rating", 4, "--artist", "")
    grid = ("--grid", "scale:2", "--grid", "anchor:1.45")
    details = shell.json("library", "correct", TRACK, *words, *grid)
    assert (details["title"], details["artist"], details["camelot"]) == ("Right", None, "8A")
    assert (details["tempo_bpm"], details["rating"]) == (128.0, 4)
    assert 1.45 in details["facts"]["downbeats_s"]
    assert details == shell.json("library", "show", TRACK)
    table = shell.run("library", "show", TRACK).stdout
    line = next(line for line in table.splitlines() if "tempo_bpm" in line)
    assert ("128.0" in line, "64.0" in line) == (True, True)

    details = shell.json("library", "correct", TRACK, "--undo", "grid", "--undo", "title")
    assert (details["title"], details["tempo_bpm"], details["camelot"]) == ("Found", 64.0, "8A")
    assert shell.json("library", "undo", TRACK)["tempo_bpm"] == 128.0
    assert shell.json("library", "undo", TRACK)["corrected"] == []


def test_cues_are_given_as_json_or_a_file(shell: Shell) -> None:
    cues = '[{"time_s": 8.0, "name": "Drop: here", "hot_cue": 2}]'
    details = shell.json("library", "correct", TRACK, "--cues", cues)
    assert [(c["name"], c["hot_cue"]) for c in details["facts"]["cues"]] == [("Drop: here", 2)]
    (shell.folder / "cues.json").write_text("[]")
    assert shell.json("library", "correct", TRACK, "--cues", "@cues.json")["facts"]["cues"] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--grid", "turn:1"), "not an operation"),
        (("--grid", "shift:half"), "not a number"),
        (("--grid", "scale:5"), "'grid' cannot be"),
        (("--cues", "Drop"), "cues cannot be read"),
        (("--undo", "tempo"), "'tempo' cannot be corrected"),
        (("--tempo-bpm", 5), "20"),
        (("--key", "H"), "not a musical key"),
        ((), "at least one correction"),
    ],
)
def test_a_wrong_correction_is_wrong_usage(
    shell: Shell, words: tuple[object, ...], message: str
) -> None:
    result = shell.run("library", "correct", TRACK, *words)
    assert result.returncode == 2
    assert message in " ".join(result.stderr.split())


def test_a_locked_grid_is_named(shell: Shell) -> None:
    shell.json("library", "correct", TRACK, "--grid", "lock")
    result = shell.run("library", "correct", TRACK, "--tempo-bpm", 100)
    assert result.returncode == 1
    assert "grid_locked" in result.stderr
