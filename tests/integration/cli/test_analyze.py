"""stemcrate analyze as a user runs it: real processes, files on disk, exit codes."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bench.processes import running
from cli.analysing import AnalysisTask, run_task
from cli.analysis_records import forget_records, place_records
from cli.main import main
from cli.output import fail
from core.analysis.store import FactStore
from core.artifacts.hashing import hash_file
from core.audio.reading.decode import decode
from core.audio.tagging.tags import read_tags
from core.errors import InvalidAudio
from tests.conditions import PATIENCE_S
from tests.integration.cli.shell import Shell
from tests.unit.analysis.encoding import write_mp4
from tests.unit.analysis.songs import TEMPO_BPM, make_track

ROOT = Path(__file__).parents[3]
RATE = 44100
NO_STORE = FactStore(Path(), 0)
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


def test_an_unknown_tempo_is_null_empty_and_a_dash(tmp_path: Path) -> None:
    """Silence was listed with 0.0 BPM, which sorts and filters as a tempo."""
    soundfile.write(tmp_path / "silence.flac", np.zeros((2 * RATE, 2)), RATE)
    result = _analyze(tmp_path, "silence.flac", "--json", "--write-tags")
    assert _lines(result)["silence.flac"]["tempo_bpm"] is None
    assert read_tags(tmp_path / "silence.flac").bpm is None
    rows = csv.DictReader(_analyze(tmp_path, "silence.flac", "--csv").stdout.splitlines())
    assert [row["tempo_bpm"] for row in rows] == [""]
    result = _analyze(tmp_path, "silence.flac")
    assert " – " in result.stdout
    assert "uncertain" not in result.stdout
    assert "warning: silence.flac: The recording is silent" in result.stderr


def test_csv_is_a_table_that_spreadsheets_read(crate: Path) -> None:
    result = Shell(crate).run("analyze", "more", "broken.mp3", "--csv", "--no-files")
    assert result.returncode == 3
    rows = {Path(row["path"]).name: row for row in csv.DictReader(io.StringIO(result.stdout))}
    assert float(rows["loop.wav"]["duration_s"]) == pytest.approx(4.0)
    assert rows["broken.mp3"]["error"]
    assert len(rows["loop.wav"]["integrated_loudness_lufs"].partition(".")[2]) <= 4
    assert "1 analysed, 1 failed." in result.stderr
    assert not list(crate.rglob("*.analysis.json"))


def _task(path: Path, **changes: Any) -> AnalysisTask:
    record = path.parent / "facts" / "song.analysis.json"
    values = {"record_path": record, "tempo_range_bpm": (70.0, 180.0), "store": NO_STORE}
    return AnalysisTask(path, **{**values, **changes})


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


def test_the_same_bytes_by_another_name_are_known(crate: Path) -> None:
    """Sorting a crate into folders, and naming songs anew, must not cost a night of analysis."""
    path = crate / "more" / "loop.wav"
    task = AnalysisTask(path, path.with_suffix(".analysis.json"), (70.0, 180.0), NO_STORE, (crate,))
    first = run_task(task)
    renamed = path.rename(crate / "Somebody - Something.wav")
    copy = Path(shutil.copy(renamed, crate / "more" / "copy.wav"))
    elsewhere = crate.parent / "elsewhere"
    elsewhere.mkdir()
    stray = Path(shutil.copy(renamed, elsewhere))
    forget_records()
    for place in (renamed, copy):
        record = place.with_suffix(".analysis.json")
        again = run_task(replace(task, path=place, record_path=record))
        assert again.is_known
        assert again.facts["path"] == str(place)
        assert again.facts["beats_s"] == first.facts["beats_s"]
        assert json.loads(record.read_text()) == again.facts
    renamed_facts = json.loads((crate / "Somebody - Something.analysis.json").read_text())
    assert (renamed_facts["artist"], renamed_facts["title"]) == ("Somebody", "Something")
    assert run_task(replace(task, path=copy, record_path=None)).is_known
    assert not run_task(replace(task, path=stray, record_path=None, known_in=())).is_known


def test_a_record_of_an_older_analysis_is_made_again(crate: Path) -> None:
    """Facts of two versions side by side cannot be compared."""
    path = crate / "more" / "loop.wav"
    record = path.with_suffix(".analysis.json")
    task = AnalysisTask(path, record, (70.0, 180.0), NO_STORE, (crate,))
    first = run_task(task)
    record.write_text(json.dumps({**first.facts, "analysis_version": "0"}))
    forget_records()
    assert not run_task(task).is_known
    assert json.loads(record.read_text()) == first.facts


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


def test_what_is_known_gets_its_tags_all_the_same(crate: Path) -> None:
    """Who has analysed first and asks for tags then must get them, and only once."""
    path = crate / "Band - Song.flac"
    run_task(_task(path))
    tagged = run_task(_task(path, writes_tags=True))
    assert tagged.is_known
    assert read_tags(path).key == "A"
    assert tagged.facts["sha256"] == hash_file(path)[0]
    written = path.stat().st_mtime_ns
    assert run_task(_task(path, writes_tags=True)).facts == tagged.facts
    assert path.stat().st_mtime_ns == written


def test_a_file_that_got_tags_is_known_to_every_door(crate: Path) -> None:
    """Tags change the bytes by which facts are found, not the audio that they are of."""
    path = crate / "Band - Song.flac"
    store = FactStore(crate / "data", 10**9)
    tagged = run_task(_task(path, store=store, record_path=None, writes_tags=True))
    assert not tagged.is_known
    again = run_task(_task(path, store=store, record_path=None))
    assert again.is_known
    assert again.facts["sha256"] == tagged.facts["sha256"]
    assert again.facts["beats_s"] == tagged.facts["beats_s"]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("song.wav", "PCM_16"),
        ("song.aiff", "PCM_16"),
        ("song.mp3", "MPEG_LAYER_III"),
        ("song.ogg", "VORBIS"),
        ("song.opus", "OPUS"),
        ("song.m4a", "aac"),
        ("song.alac.m4a", "alac"),
    ],
)
def test_every_container_of_djs_takes_tags(
    tmp_path: Path, audio: np.ndarray, name: str, codec: str
) -> None:
    """Tags that one container lacks are missed on the night."""
    path = tmp_path / name
    if codec in ("aac", "alac"):
        write_mp4(path, audio[: 4 * RATE], RATE, codec)
    else:
        rate = 48000 if codec == "OPUS" else RATE
        container = {"ogg": "OGG", "opus": "OGG"}.get(name.rpartition(".")[2])
        soundfile.write(path, audio[: 4 * RATE], rate, subtype=codec, format=container)
    before = _decoded(path, tmp_path)
    done = run_task(_task(path, writes_tags=True))
    assert not done.warnings
    tags = read_tags(path)
    assert tags.bpm == pytest.approx(done.facts["tempo_bpm"], abs=0.006)
    assert tags.key == done.facts["key_short"]
    np.testing.assert_array_equal(_decoded(path, tmp_path), before)


def _decoded(path: Path, folder: Path) -> np.ndarray:
    decode(path, folder / "decoded.wav")
    return soundfile.read(folder / "decoded.wav")[0]


def test_a_container_without_tags_is_listed(tmp_path: Path, audio: np.ndarray) -> None:
    """A file that cannot hold tags must neither stop the others nor pass for tagged."""
    path = tmp_path / "song.caf"
    soundfile.write(path, audio[: 4 * RATE], RATE)
    before = path.read_bytes()
    done = run_task(_task(path, writes_tags=True))
    assert done.facts["key"]
    assert "song.caf got no tags" in done.warnings[0]
    assert path.read_bytes() == before


def test_names_with_brackets_are_printed_whole(
    tmp_path: Path, audio: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    """DJs name files "Song [Club Mix]": what a terminal takes for markup must not vanish."""
    (tmp_path / "Song [red] [Club Mix].mp3").write_bytes(b"no music" * 50)
    soundfile.write(tmp_path / "Loop [bold] [Dub].wav", audio[: 2 * RATE], RATE)
    result = Shell(tmp_path).run("analyze", ".", "missing [x] [i].wav")
    assert result.returncode == 3
    assert "Song [red] [Club Mix].mp3" in result.stderr
    assert "missing [x] [i].wav" in result.stderr
    assert "Loop [bold] [Dub]" in result.stdout
    assert fail(InvalidAudio("Song [red] is broken.", hint="Look at [i].")) == 1
    words = capsys.readouterr().err
    assert "Song [red] is broken." in words
    assert "Look at [i]." in words


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_whole_records_and_the_next_goes_on(
    tmp_path: Path, audio: np.ndarray, number: signal.Signals
) -> None:
    """A night of analysis that is stopped must be neither lost nor half written."""
    for index in range(12):
        soundfile.write(tmp_path / f"{index:02}.wav", audio[index * 1000 : 4 * RATE], RATE)
    with running(
        [sys.executable, "-m", "cli.main", "analyze", ".", "--json", "--processes", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pipesize=4096,  # a few lines: it cannot come to its end before it is stopped
        text=True,
    ) as process:
        process.stdout.readline()
        process.send_signal(number)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode not in (0, 3)
    records = list(tmp_path.glob("*.analysis.json"))
    assert 1 <= len(records) < 12
    assert all(json.loads(record.read_text())["sha256"] for record in records)
    if number is signal.SIGINT:
        assert not list(tmp_path.glob(".*"))
    again = _analyze(tmp_path, ".", "--json", "--processes", 1)
    assert again.returncode == 0
    known = re.search(r"(\d+) known already", again.stderr)
    assert known
    # One more where it was killed between the store and the record.
    assert int(known[1]) - len(records) in (0, 1)
    assert len(again.stdout.splitlines()) == 12


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
