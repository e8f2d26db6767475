"""Working audio: exact, removable, valid beyond 4 GiB, the same bytes on every run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from core.audio.reading.headers import find_shortfall
from core.audio.writing import wavefile
from core.audio.writing.wavefile import AudioReader, AudioWriter, WaveWriter
from core.errors import CorruptAudio, StorageFull

RATE = 44_100


def test_float_samples_come_back_exactly_whatever_the_blocks(
    tmp_path: Path, noise: Callable[..., np.ndarray]
) -> None:
    samples = noise(10_001) * 30
    path = tmp_path / "audio"
    with AudioWriter(path, sample_rate=RATE, n_channels=2) as writer:
        for start in range(0, 10_001, 999):
            writer.write(samples[:, start : start + 999])
    with AudioReader(path) as reader:
        assert (reader.sample_rate, reader.n_channels, reader.n_samples) == (RATE, 2, 10_001)
        np.testing.assert_array_equal(reader.read(), samples)
        np.testing.assert_array_equal(reader.read(100, 200), samples[:, 100:200])
        assert reader.read(10_000, 20_000).shape == (2, 1)
        assert reader.read().flags.c_contiguous
        blocks = list(reader.blocks(4096))
        assert [block.shape[1] for block in blocks] == [4096, 4096, 1809]
        np.testing.assert_array_equal(np.concatenate(blocks, axis=1), samples)


@pytest.mark.parametrize(("encoding", "bits"), [("pcm16", 16), ("pcm24", 24)])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_codes_come_back_exactly_at_odd_lengths(
    tmp_path: Path, encoding: Any, bits: int, n_channels: Any
) -> None:
    """One mono sample of 24 bits has three bytes: the chunk needs its padding."""
    top = 1 << (bits - 1)
    codes = np.array([[-top, top - 1, -1, 0, 1]] * n_channels, dtype=np.int32)
    path = tmp_path / "audio.wav"
    with WaveWriter(path, sample_rate=RATE, n_channels=n_channels, encoding=encoding) as writer:
        writer.write(codes)
    assert path.stat().st_size % 2 == 0
    assert find_shortfall(path) is None
    frames, rate = soundfile.read(path, dtype="int32", always_2d=True)
    np.testing.assert_array_equal(frames.T >> (32 - bits), codes)
    assert rate == RATE


def test_beyond_the_limit_of_riff_the_file_is_rf64(
    tmp_path: Path, noise: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wavefile, "_RIFF_LIMIT", 1000)
    samples = noise(5000)
    with AudioWriter(tmp_path / "long", sample_rate=RATE, n_channels=2) as writer:
        writer.write(samples)
    assert (tmp_path / "long").read_bytes()[:4] == b"RF64"
    assert soundfile.info(tmp_path / "long").format == "RF64"
    assert find_shortfall(tmp_path / "long") is None
    with AudioReader(tmp_path / "long") as reader:
        np.testing.assert_array_equal(reader.read(), samples)


def test_the_same_samples_make_the_same_bytes(
    tmp_path: Path, noise: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """libsndfile's own float files hold the time of day."""
    for name, clock in (("a", 1e9), ("b", 1.5e9)):
        monkeypatch.setattr("time.time", lambda clock=clock: clock)
        with AudioWriter(tmp_path / name, sample_rate=RATE, n_channels=2) as writer:
            writer.write(noise())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert b"PEAK" not in (tmp_path / "a").read_bytes()[:200]


def test_a_failed_writer_leaves_no_file(tmp_path: Path, noise: Callable[..., np.ndarray]) -> None:
    path = tmp_path / "audio"
    with (
        pytest.raises(ValueError, match="shape"),
        AudioWriter(path, sample_rate=RATE, n_channels=1) as writer,
    ):
        writer.write(noise(10, 2))
    assert not path.exists()


def test_wrong_dtypes_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(TypeError),
        AudioWriter(tmp_path / "audio", sample_rate=RATE, n_channels=1) as writer,
    ):
        writer.write(np.zeros((1, 10)))  # type: ignore[arg-type]


def test_an_empty_file_has_no_samples(tmp_path: Path) -> None:
    with AudioWriter(tmp_path / "audio", sample_rate=RATE, n_channels=1):
        pass
    with AudioReader(tmp_path / "audio") as reader:
        assert reader.read().shape == (1, 0)
        assert list(reader.blocks()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_storage_full(tmp_path: Path, noise: Callable[..., np.ndarray]) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(StorageFull), AudioWriter(full, sample_rate=RATE, n_channels=2) as writer:
        writer.write(noise(100_000))


def test_reading_outside_the_file_is_a_mistake(
    tmp_path: Path, noise: Callable[..., np.ndarray]
) -> None:
    with AudioWriter(tmp_path / "audio", sample_rate=RATE, n_channels=2) as writer:
        writer.write(noise(10))
    with AudioReader(tmp_path / "audio") as reader:
        for start, stop in ((-1, 5), (11, None), (5, 4)):
            with pytest.raises(ValueError, match="outside"):
                reader.read(start, stop)


def test_a_file_that_is_no_wav_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "audio").write_bytes(b"nothing")
    with pytest.raises(CorruptAudio):
        AudioReader(tmp_path / "audio")
    with pytest.raises(FileNotFoundError):
        AudioReader(tmp_path / "missing")
