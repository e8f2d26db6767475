"""STEM files: sums to the code, the right boxes, and what programs of this kind look for."""

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from mutagen.mp4 import MP4
from numpy.typing import NDArray

from core.audio.tagging.tag_writer import write_tags
from core.audio.tagging.tags import Tags, read_tags
from core.audio.writing.stem_mp4 import write_stem_mp4
from core.audio.writing.wavefile import AudioWriter
from core.errors import UnsupportedFormat

RATE = 44_100
N = 50_001
STEMS = ("drums", "bass", "other", "vocals")


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Any]:
    """Write float audio, and give its path."""

    def save(name: str, samples: Any, rate: int = RATE) -> Path:
        path = tmp_path / f"{name}.wav"
        with AudioWriter(path, sample_rate=rate, n_channels=len(samples)) as writer:
            writer.write(samples.astype(np.float32))
        return path

    return save


def noise(seed: int, n: int = N, n_channels: int = 2, level: float = 0.1) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    return (np.clip(rng.standard_normal((n_channels, n)), -3, 3) * level).astype(np.float32)


def make(saved: Any, names: Any = STEMS, level: float = 0.1, n_channels: int = 2) -> Any:
    """Return mixture and stems, as files and as samples."""
    stems = {
        name: noise(seed, level=level, n_channels=n_channels) for seed, name in enumerate(names)
    }
    mixture = np.sum(list(stems.values()), axis=0)
    files = {name: saved(name, samples) for name, samples in stems.items()}
    return saved("mixture", mixture), files, mixture, stems


def decoded(path: Path) -> list[Any]:
    """Decode every stream, whether it is enabled or not."""
    with av.open(str(path)) as container:
        frames = [[] for _ in container.streams.audio]
        for packet in container.demux(container.streams.audio):
            frames[packet.stream.index] += [frame.to_ndarray() for frame in packet.decode()]
        return [np.concatenate(blocks, axis=1) for blocks in frames]


def boxes(data: Any, start: Any = 0, stop: Any = None) -> Iterator[Any]:
    """Walk boxes from the start, as readers of STEM files do."""
    at, stop = start, len(data) if stop is None else stop
    while at < stop:
        length, name = struct.unpack_from(">I4s", data, at)
        assert 8 <= length <= stop - at
        yield name, at + 8, at + length
        at += length


def find(data: bytes, *names: Any) -> bytes:
    start, stop = 0, len(data)
    for name in names:
        start, stop = next((a, b) for found, a, b in boxes(data, start, stop) if found == name)
    return data[start:stop]


@pytest.mark.parametrize(("bit_depth", "shift"), [("16", 0), ("24", 8)])
def test_the_stems_sum_to_the_mixture_code_for_code(
    saved: Any, tmp_path: Path, bit_depth: Any, shift: int
) -> None:
    """Rounding each track alone leaves the sum off by codes; scaling the mixture alone by more."""
    mixture, stems, samples, _ = make(saved)
    path = tmp_path / "a.stem.mp4"
    written = write_stem_mp4(path, mixture, stems, bit_depth=bit_depth)
    assert (written.names, written.gain_db) == (("Drums", "Bass", "Other", "Vocals"), 0.0)
    assert written.is_exact
    first, *rest = (codes.astype(np.int64) >> shift for codes in decoded(path))
    np.testing.assert_array_equal(first, sum(rest))
    full_scale = 2 ** (int(bit_depth) - 1)
    np.testing.assert_array_equal(first, np.rint(samples.astype(float) * full_scale))


def test_what_would_clip_is_scaled_as_a_whole(saved: Any, tmp_path: Path) -> None:
    """The sum of loud stems passes full scale: integers would clip the mixture alone."""
    mixture, stems, samples, parts = make(saved, level=0.3)
    peak = np.max(np.abs(samples))
    assert peak > 1.5
    path = tmp_path / "a.stem.mp4"
    written = write_stem_mp4(path, mixture, stems)
    assert written.gain_db == pytest.approx(-20 * np.log10(peak), abs=0.001)
    first, *rest = (codes.astype(np.int64) >> 8 for codes in decoded(path))
    np.testing.assert_array_equal(first, sum(rest))
    gain = 10 ** (written.gain_db / 20)
    assert np.max(np.abs(rest[0] / 2**23 - parts["drums"] * gain)) < 1e-6


def test_players_play_the_mixture_and_programs_find_four_named_stems(
    saved: Any, tmp_path: Path
) -> None:
    """Enabled stems play twice as loud; moov after the audio hides the stems from some readers."""
    mixture, stems, *_ = make(saved)
    path = tmp_path / "a.stem.mp4"
    write_stem_mp4(path, mixture, stems)
    data = path.read_bytes()
    assert [name for name, _, _ in boxes(data)][:2] == [b"ftyp", b"moov"]
    moov = find(data, b"moov")
    tracks = [
        find(moov[start:stop], b"tkhd") for name, start, stop in boxes(moov) if name == b"trak"
    ]
    assert [tkhd[3] & 1 for tkhd in tracks] == [1, 0, 0, 0, 0]
    description = json.loads(find(data, b"moov", b"udta", b"stem"))
    assert description["version"] == 1
    assert [stem["name"] for stem in description["stems"]] == ["Drums", "Bass", "Other", "Vocals"]
    assert description["stems"][0]["color"] == "#009E73"
    with av.open(str(path)) as container:
        assert [s.codec_context.name for s in container.streams] == ["alac"] * 5
        assert [s.channels for s in container.streams] == [2] * 5


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (
            ("accompaniment", "vocals"),
            ("Drums (silent)", "Bass (silent)", "Accompaniment", "Vocals"),
        ),
        (
            (*STEMS, "guitar", "piano"),
            ("Drums", "Bass", "Other + Guitar + Piano", "Vocals"),
        ),
        (("vocals",), ("Drums (silent)", "Bass (silent)", "Other (silent)", "Vocals")),
    ],
)
def test_models_of_other_stems_fill_the_slots_that_they_have(
    saved: Any, tmp_path: Path, names: tuple[Any, ...], shown: tuple[str, str, str, str]
) -> None:
    """Dropping guitar and piano would break the sum; unnamed silence looks like a fault."""
    mixture, stems, *_ = make(saved, names)
    path = tmp_path / "a.stem.mp4"
    written = write_stem_mp4(path, mixture, stems)
    assert written.names == shown
    first, *rest = (codes.astype(np.int64) for codes in decoded(path))
    np.testing.assert_array_equal(first, sum(rest))
    for codes, name in zip(rest, shown, strict=True):
        assert np.any(codes) != name.endswith("(silent)")


def test_a_residual_that_was_left_out_is_not_slipped_into_other(saved: Any, tmp_path: Path) -> None:
    mixture, stems, samples, parts = make(saved)
    mixture = saved("louder", samples + 0.01)
    path = tmp_path / "a.stem.mp4"
    assert not write_stem_mp4(path, mixture, stems).is_exact
    other = decoded(path)[3].astype(np.int64) >> 8
    np.testing.assert_array_equal(other, np.rint(parts["other"].astype(float) * 2**23))


def test_aac_starts_at_the_first_sample(saved: Any, tmp_path: Path) -> None:
    """Without the edit list a program plays the encoder's delay of 23 ms first."""
    time = np.arange(N) / RATE
    click = np.zeros((2, N), np.float32)
    click[:, 20_000:] = 0.5 * np.sin(2 * np.pi * 1000 * time[20_000:])
    path = tmp_path / "a.stem.mp4"
    assert not write_stem_mp4(
        path, saved("m", click), {"vocals": saved("v", click)}, codec="aac"
    ).is_exact
    first = decoded(path)[0]
    assert abs(int(np.argmax(np.abs(first[0]) > 0.1)) - 20_000) < 100
    assert N <= first.shape[1] < N + 2048


def test_aac_that_starts_loud_starts_clean(saved: Any, tmp_path: Path) -> None:
    """FFmpeg's encoder made noise of the first 20 ms: the first kick of a loop."""
    time = np.arange(N) / RATE
    kick = 0.8 * np.cos(2 * np.pi * 60 * time) * np.exp(-5 * time)
    hiss = noise(1, level=0.05)[0]
    song = np.stack([kick + hiss, kick - hiss])
    path = tmp_path / "a.stem.mp4"
    write_stem_mp4(path, saved("m", song), {"vocals": saved("v", song)}, codec="aac")
    for track in (decoded(path)[0], decoded(path)[4]):
        error = track[:, :N] - song
        assert np.std(error[:, :2048]) < 2 * np.std(error[:, 4096:8192])


def test_mono_and_silence_are_written(saved: Any, tmp_path: Path) -> None:
    mixture, stems, *_ = make(saved, n_channels=1)
    path = tmp_path / "a.stem.mp4"
    write_stem_mp4(path, mixture, stems, bit_depth="16")
    assert [codes.shape for codes in decoded(path)] == [(2, N)] * 5
    silence = saved("silence", np.zeros((2, 1000)))
    assert write_stem_mp4(path, silence, {"drums": silence}).gain_db == 0.0


def test_tags_go_in_afterwards_and_the_stems_stay(saved: Any, tmp_path: Path) -> None:
    mixture, stems, *_ = make(saved)
    path = tmp_path / "a.stem.mp4"
    write_stem_mp4(path, mixture, stems)
    before = decoded(path)
    write_tags(path, Tags(title="Ü", bpm=127.95, key="Am"), format="m4a")
    assert read_tags(path).bpm == 127.95
    assert MP4(path).tags["\xa9nam"] == ["Ü"]
    assert json.loads(find(path.read_bytes(), b"moov", b"udta", b"stem"))["version"] == 1
    for now, then in zip(decoded(path), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_what_no_stem_file_can_hold_is_refused_and_leaves_nothing(
    saved: Any, tmp_path: Path
) -> None:
    mixture, *_ = make(saved)
    path = tmp_path / "out" / "a.stem.mp4"
    path.parent.mkdir()
    with pytest.raises(UnsupportedFormat, match="at least one"):
        write_stem_mp4(path, mixture, {})
    other_rate = saved("slow", noise(9), rate=22_050)
    with pytest.raises(UnsupportedFormat, match="22050"):
        write_stem_mp4(path, mixture, {"drums": other_rate})
    with pytest.raises(UnsupportedFormat, match="stereo"):
        write_stem_mp4(path, mixture, {"drums": saved("wide", noise(9, n_channels=4))})
    odd = saved("odd", noise(9), rate=50_000)
    with pytest.raises(UnsupportedFormat, match="AAC"):
        write_stem_mp4(path, odd, {"drums": odd}, codec="aac")
    assert list(path.parent.iterdir()) == []
