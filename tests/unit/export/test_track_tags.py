"""Tags of exported copies in every container, read by tinytag, serato-tools and by hand."""

import base64
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
from numpy.typing import NDArray
from serato_tools.track_autotags import TrackAutotags
from serato_tools.track_beatgrid import TrackBeatgrid
from serato_tools.track_cues_v2 import TrackCuesV2

from core.audio.reading.decode import decode
from core.audio.tagging.serato_tags import beat_grid, markers
from core.audio.tagging.tags import read_tags
from core.audio.writing.wavefile import AudioReader
from core.errors import InvalidAudio
from core.export.format import ExportOptions
from core.export.model import FileKind
from core.export.mp3_offset import default_mp3_offset_ms, offset_ms
from core.export.track_tags import SERATO_KINDS, tag_copy
from tests.integration.export.crates import KINDS, make_track, suffix, write_audio

OPTIONS = ExportOptions()


@pytest.fixture
def copied(tmp_path: Path) -> Callable[..., Any]:
    """Write a file, tag it, and give its path and the track."""

    def copy(name: str, options: Any = OPTIONS, **facts: Any) -> Any:
        path = tmp_path / f"copy.{suffix(name)}"
        write_audio(path, name)
        track = replace(make_track(name, 2), **facts)
        tag_copy(path, track, options)
        return path, track

    return copy


def samples_of(path: Path, tmp_path: Path) -> NDArray[Any]:
    decode(path, tmp_path / "decoded.wav")
    with AudioReader(tmp_path / "decoded.wav") as reader:
        return reader.read()


@pytest.mark.parametrize("name", KINDS)
def test_an_independent_reader_finds_every_tag_and_the_same_audio(
    copied: Any, tmp_path: Path, name: Any
) -> None:
    """A container without a writer would lose the tempo that the set was planned with."""
    untouched = tmp_path / "untouched"
    write_audio(untouched, name)
    before = samples_of(untouched, tmp_path)
    path, track = copied(name, tempo_bpm=127.95)
    tags = read_tags(path)
    assert (tags.artist, tags.album, tags.isrc) == (track.artist, track.album, track.isrc)
    assert (tags.bpm, tags.key) == (127.95, track.key_text("short"))
    assert tags.cover == track.cover
    np.testing.assert_array_equal(samples_of(path, tmp_path), before)


@pytest.mark.parametrize("name", KINDS)
def test_loudness_is_written_as_the_container_has_it(copied: Any, name: Any) -> None:
    """Opus has no ReplayGain: its gain counts 1/256 dB from -23 LUFS, ours -10 LUFS."""
    path, _ = copied(name)
    file = mutagen.File(path)
    text = {str(key).lower().split(":")[-1]: value for key, value in file.tags.items()}
    if name == "opus":
        assert text["r128_track_gain"] == [str(-13 * 256)]
        return
    gain, peak = text["replaygain_track_gain"], text["replaygain_track_peak"]
    read = [bytes(v[0]).decode() if name in ("m4a", "alac") else str(v[0]) for v in (gain, peak)]
    assert read == ["-8.00 dB", "0.891251"]


@pytest.mark.parametrize("name", ["mp3", "aiff"])
def test_serato_tools_reads_grid_cues_and_gain(copied: Any, name: str) -> None:
    """Positions in an MP3 lie a frame later; the grid starts on a downbeat, as Serato reads it."""
    path, track = copied(name)
    shift_s = 0.026 if name == "mp3" else 0.0
    grid = TrackBeatgrid(str(path)).entries
    first_s = 0.25 + 3 * 60 / track.tempo_bpm + shift_s
    assert grid[0].position == pytest.approx(first_s, abs=1e-6)
    assert grid[1].bpm == pytest.approx(track.tempo_bpm)
    n_beats = grid[0].beats_till_next_marker
    last_s = first_s + n_beats * 60 / track.tempo_bpm
    assert grid[1].position == pytest.approx(last_s, abs=1e-5)
    assert 12 - 60 / track.tempo_bpm <= last_s - shift_s <= 12
    cues = TrackCuesV2(str(path)).entries
    hot = [entry for entry in cues if entry.NAME == "CUE"]
    shift_ms = round(shift_s * 1000)
    assert [(cue.index, cue.position, cue.name) for cue in hot] == [
        (0, 250 + shift_ms, "Intro"),
        (1, 2250 + shift_ms, "Dröp 😀"),
    ]
    assert [cue.color for cue in hot] == [b"\xcc\x00\x00", b"\x00\xcc\x00"]
    (loop,) = (entry for entry in cues if entry.NAME == "LOOP")
    assert (loop.startposition, loop.endposition) == (4250 + shift_ms, 8250 + shift_ms)
    auto = TrackAutotags(str(path))
    assert (float(auto.bpm), float(auto.autogain)) == (track.tempo_bpm, -8.0)


def test_an_unknown_tempo_is_left_out_of_the_tags(copied: Any) -> None:
    """A silent file was tagged with 0.00 BPM for Serato."""
    path, _ = copied("mp3", tempo_bpm=None, grid=())
    assert read_tags(path).bpm is None
    names = mutagen.File(path).tags.keys()
    assert "GEOB:Serato Markers2" in names
    assert "GEOB:Serato Autotags" not in names


def test_text_containers_hold_the_same_bytes_in_lines_of_72(copied: Any) -> None:
    """Readers drop the grid whose base64 lacks the one character more that Serato writes."""
    flac, _ = copied("flac")
    text = mutagen.File(flac).tags["SERATO_BEATGRID"][0]
    lines = text.split("\n")
    assert {len(line) for line in lines[:-1]} <= {72}
    assert "=" not in text
    joined = text.replace("\n", "")[:-1]
    content = base64.b64decode(joined + "=" * (-len(joined) % 4))
    head = b"application/octet-stream\0\0Serato BeatGrid\0\x01\x00"
    assert content.startswith(head)
    (count,) = struct.unpack_from(">I", content, len(head))
    assert count == 4
    assert len(content) == len(head) + 4 + 8 * count + 1


def test_old_markers_are_removed_which_serato_would_prefer(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    write_audio(path, "mp3")
    file = mutagen.File(path)
    file.add_tags()
    old = mutagen.id3.GEOB(encoding=0, mime="x", filename="", desc="Serato Markers_", data=b"old")
    file.tags.add(old)
    file.save()
    tag_copy(path, make_track("mp3", 1), OPTIONS)
    assert sorted(key for key in mutagen.File(path).tags if key.startswith("GEOB")) == [
        "GEOB:Serato Autotags",
        "GEOB:Serato BeatGrid",
        "GEOB:Serato Markers2",
    ]


@pytest.mark.parametrize("name", sorted(kind.value for kind in SERATO_KINDS))
def test_tagging_twice_leaves_one_of_each(copied: Any, name: Any) -> None:
    path, track = copied(name)
    size = path.stat().st_size
    tag_copy(path, track, OPTIONS)
    assert path.stat().st_size == size


def test_a_file_that_is_not_what_it_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    write_audio(path, "wav")
    with pytest.raises(InvalidAudio):
        tag_copy(path, make_track("flac", 1), OPTIONS)


def test_no_grid_and_no_cues_are_valid_and_empty() -> None:
    assert beat_grid([], 10.0) == b"\x01\x00\x00\x00\x00\x00\x00"
    assert len(markers([])) == 470
    assert beat_grid([(9.9, 120.0)], 10.0)[2:6] == b"\x00\x00\x00\x01"


@pytest.mark.parametrize(
    ("program", "sample_rate", "expected"),
    [
        ("rekordbox", 44_100, 0.0),
        ("traktor", 48_000, 0.0),
        ("serato", 44_100, 26.0),
        ("serato", 48_000, 24.0),
        ("serato", 32_000, 36.0),
    ],
)
def test_each_program_counts_mp3_times_from_its_own_zero(
    program: Any, sample_rate: Any, expected: Any
) -> None:
    assert default_mp3_offset_ms(program, sample_rate) == expected
    track = replace(make_track("mp3", 1), sample_rate=sample_rate)
    assert offset_ms(track, program, {}) == expected
    assert offset_ms(track, program, {program: 7.5}) == 7.5
    assert offset_ms(replace(track, file=FileKind.FLAC), program, {program: 7.5}) == 0.0
