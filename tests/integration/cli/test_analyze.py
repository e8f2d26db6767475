"""stemcrate analyze as a user runs it: real processes, files on disk, exit codes."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cli.analysing import AnalysisTask, run_task
from cli.analyze import place_records
from cli.main import main
from core.audio.tags import read_tags
from tests.unit.analysis.songs import TEMPO_BPM, make_track

ROOT = Path(__file__).parents[3]
RATE = 44100
FIELDS = {
    "path",
    "sha256",
    "duration_s",
    "tempo_bpm",
    "tempo_confidence",
    "tempo_alternatives",
    "beats_s",
    "downbeats_s",
    "key",
    "camelot",
    "open_key",
    "key_confidence",
    "energy",
    "integrated_loudness_lufs",
    "loudness_range_lu",
    "true_peak_dbtp",
    "sections",
}


def _analyze(
    folder: Path, *arguments: object, **environment: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "analyze", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
    )


def _lines(result: "subprocess.CompletedProcess[str]") -> dict[str, dict[str, Any]]:
    records = [json.loads(line) for line in result.stdout.splitlines()]
    return {Path(record["path"]).name: record for record in records}


@pytest.fixture(scope="module")
def audio() -> np.ndarray:
    return make_track((("intro", 4), ("drop", 8)), sample_rate=RATE)


@pytest.fixture
def crate(tmp_path: Path, audio: np.ndarray) -> Path:
    """A folder with two songs, one deeper, and a broken one."""
    folder = tmp_path / "crate"
    (folder / "more").mkdir(parents=True)
    soundfile.write(folder / "Band - Song.flac", audio, RATE)
    soundfile.write(folder / "more" / "loop.wav", audio[: 4 * RATE], RATE)
    (folder / "broken.mp3").write_bytes(b"ID3 no music at all" * 20)
    (folder / "notes.txt").write_text("no audio, not asked for")
    return folder


def test_json_holds_one_object_a_line_and_a_bad_file_stops_nothing(crate: Path) -> None:
    result = _analyze(crate, ".", "--json", "--processes", 2)
    assert result.returncode == 3, result.stderr
    records = _lines(result)
    assert set(records) == {"Band - Song.flac", "loop.wav", "broken.mp3"}
    song = records["Band - Song.flac"]
    assert set(song) >= FIELDS
    assert song["tempo_bpm"] == pytest.approx(TEMPO_BPM, abs=0.05)
    assert song["key"] == "A major"
    assert (song["artist"], song["title"]) == ("Band", "Song")
    assert read_tags(crate / "Band - Song.flac").bpm is None
    assert records["broken.mp3"]["error"]["code"] == "corrupt_audio"
    assert "broken.mp3" in result.stderr
    written = {str(p.relative_to(crate)) for p in crate.rglob("*.analysis.json")}
    assert written == {"Band - Song.analysis.json", "more/loop.analysis.json"}
    assert json.loads((crate / "Band - Song.analysis.json").read_text()) == song
    again = _analyze(crate, "more", "--json")
    assert again.returncode == 0
    assert "1 known already" in again.stderr


def test_csv_is_a_table_that_spreadsheets_read(crate: Path) -> None:
    result = _analyze(crate, "more", "broken.mp3", "--csv", "--no-files")
    assert result.returncode == 3
    rows = {Path(row["path"]).name: row for row in csv.DictReader(io.StringIO(result.stdout))}
    assert float(rows["loop.wav"]["duration_s"]) == pytest.approx(4.0)
    assert rows["broken.mp3"]["error"]
    assert not list(crate.rglob("*.analysis.json"))


def _task(path: Path, **changes: Any) -> AnalysisTask:
    record = path.parent / "facts" / "song.analysis.json"
    values = {"tempo_range_bpm": (70.0, 180.0), "max_duration_s": 3600.0, **changes}
    return AnalysisTask(path, record, **values)


def test_what_is_known_is_skipped_until_it_changes_or_is_forced(crate: Path) -> None:
    """A crate of thousands must not be analysed again because one song was added."""
    path = crate / "more" / "loop.wav"
    first = run_task(_task(path))
    assert not first.is_known
    record = path.parent / "facts" / "song.analysis.json"
    marked = json.dumps({**json.loads(record.read_text()), "energy": -1})
    record.write_text(marked)
    again = run_task(_task(path))
    assert again.is_known
    assert again.facts["energy"] == -1
    assert not run_task(_task(path, tempo_range_bpm=(60.0, 150.0))).is_known
    record.write_text(marked)
    assert run_task(_task(path, is_forced=True)) == first
    record.write_text(marked[:-20])
    assert run_task(_task(path)) == first
    record.write_text(marked)
    path.write_bytes((crate / "Band - Song.flac").read_bytes())
    assert not run_task(_task(path)).is_known


def test_tags_are_written_on_request_only_and_the_audio_stays(crate: Path) -> None:
    path = crate / "Band - Song.flac"
    before, _ = soundfile.read(path)
    run_task(_task(path))
    assert read_tags(path).bpm is None
    tagged = run_task(_task(path, writes_tags=True, is_forced=True))
    assert not tagged.warnings
    tags = read_tags(path)
    assert tags.bpm == pytest.approx(TEMPO_BPM, abs=0.05)
    assert tags.key == "A"
    np.testing.assert_array_equal(soundfile.read(path)[0], before)
    assert run_task(_task(path, writes_tags=True)).is_known


def test_a_record_that_cannot_be_written_is_a_warning(crate: Path) -> None:
    """Facts that were found must not be lost because the crate lies on a read-only disk."""
    path = crate / "more" / "loop.wav"
    (path.parent / "facts").write_text("a file where the folder should be")
    done = run_task(_task(path))
    assert done.facts["duration_s"] == pytest.approx(4.0)
    assert "song.analysis.json" in done.warnings[0]


def test_records_lie_beside_their_files_or_in_the_same_order_in_a_folder(tmp_path: Path) -> None:
    """Two files of one name must not overwrite each other's facts."""
    names = ("a.wav", "a.flac", "b/a.wav", "c.mp3")
    files = [tmp_path / name for name in names]
    records = [str(p.relative_to(tmp_path)) for p in place_records(files, [tmp_path], None)]
    assert records == [
        "a.wav.analysis.json",
        "a.flac.analysis.json",
        "b/a.analysis.json",
        "c.analysis.json",
    ]
    (tmp_path / "b").mkdir()
    elsewhere = place_records(files, [tmp_path], tmp_path / "facts")
    assert [str(p.relative_to(tmp_path / "facts")) for p in elsewhere] == records


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["--json", "--csv", "."], 2, "exclude"),
        (["."], 2, "no audio file"),
        (["missing.mp3"], 1, "missing.mp3"),
        ([".", "--tempo-min-bpm", "150"], 2, "octave"),
    ],
)
def test_refusals_name_what_is_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    exit_code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stemcrate", "analyze", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == exit_code
    assert words in " ".join(capsys.readouterr().err.split())
