"""Delivered files: bit exact where they can be, in place to the sample where they can't."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.audio.reading.decode import DecodedAudio
from core.audio.resample import resample
from core.audio.writing.encode import (
    FORMATS,
    SUFFIX,
    Encoder,
    check_format,
    is_pcm,
    supported_sample_rate,
)
from core.errors import StemcrateError, StorageFull, UnsupportedFormat

RATE = 44_100
PCM = [(name, depth) for name in ("wav", "flac", "alac") for depth in ("16", "24")]


@pytest.mark.parametrize(("name", "depth"), PCM)
@pytest.mark.parametrize("n_channels", [1, 2])
def test_codes_are_written_bit_for_bit(
    tmp_path: Path,
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    name: Any,
    depth: Any,
    n_channels: int,
) -> None:
    """ALAC given the wrong sample format silently writes 16 bits; blocks don't match its frames."""
    top = 1 << (int(depth) - 1)
    rng = np.random.default_rng(0)
    codes = rng.integers(-top, top, (n_channels, 12_345)).astype(np.int32)
    codes[:, :2] = -top, top - 1
    path = tmp_path / "temporary-name"
    with Encoder(
        path, format=name, bit_depth=depth, sample_rate=RATE, n_channels=n_channels
    ) as encoder:
        for start in range(0, 12_345, 1000):
            encoder.write_codes(codes[:, start : start + 1000])
    result, audio = decoded(path)
    np.testing.assert_array_equal(audio * top, codes)
    assert result.source.bit_depth == int(depth)


@pytest.mark.parametrize("name", ["mp3", "m4a", "opus"])
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_lossy_files_line_up_and_keep_their_length(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    lag: Callable[[np.ndarray, np.ndarray], int],
    name: str,
    n_channels: int,
    rate: int,
) -> None:
    samples = noise(rate // 2 + 77, n_channels, rate)
    path = tmp_path / "temporary-name"
    with Encoder(
        path, format=name, bit_depth="24", sample_rate=rate, n_channels=n_channels
    ) as encoder:
        for start in range(0, samples.shape[1], 5000):
            encoder.write(samples[:, start : start + 5000])
    result, audio = decoded(path)
    expected = resample(samples, rate, supported_sample_rate(name, rate))
    assert audio.shape == expected.shape
    assert result.sample_rate == encoder.sample_rate == supported_sample_rate(name, rate)
    assert lag(audio[0], expected[0]) == 0
    error = np.sqrt(np.mean((audio - expected) ** 2) / np.mean(expected**2))
    assert error < 0.5  # noise is what encoders are worst at; a wrong level would show


def test_aac_that_starts_loud_starts_clean(
    tmp_path: Path, decoded: Callable[..., tuple[DecodedAudio, np.ndarray]]
) -> None:
    """FFmpeg's encoder made noise of the first 20 ms: the first kick of a loop."""
    time = np.arange(RATE // 2) / RATE
    kick = 0.8 * np.cos(2 * np.pi * 60 * time) * np.exp(-5 * time)
    hiss = 0.05 * np.random.default_rng(1).standard_normal(len(time))
    samples = np.stack([kick + hiss, kick - hiss]).astype(np.float32)
    path = tmp_path / "temporary-name"
    with Encoder(path, format="m4a", bit_depth="24", sample_rate=RATE, n_channels=2) as encoder:
        encoder.write(samples)
    audio = decoded(path)[1]
    errors = np.std(audio - samples, axis=0)
    assert audio.shape == samples.shape
    assert np.sqrt(np.mean(errors[:2048] ** 2)) < 2 * np.sqrt(np.mean(errors[4096:8192] ** 2))


def test_float_wav_keeps_what_lies_beyond_full_scale(
    tmp_path: Path, decoded: Callable[..., tuple[DecodedAudio, np.ndarray]]
) -> None:
    samples = np.array([[0.1, -4.0, 1e-20]], dtype=np.float32)
    path = tmp_path / "out"
    with Encoder(path, format="wav", bit_depth="32f", sample_rate=RATE, n_channels=1) as encoder:
        encoder.write(samples)
    np.testing.assert_array_equal(decoded(path)[1], samples)


@pytest.mark.parametrize("name", FORMATS)
def test_a_failure_leaves_no_file(
    tmp_path: Path, noise: Callable[..., np.ndarray], name: Any
) -> None:
    path = tmp_path / "out"
    with (
        pytest.raises(RuntimeError),
        Encoder(path, format=name, bit_depth="16", sample_rate=RATE, n_channels=2) as encoder,
    ):
        if is_pcm(name, "16"):
            encoder.write_codes(np.zeros((2, 9000), dtype=np.int32))
        else:
            encoder.write(noise(9000))
        raise RuntimeError
    assert not path.exists()


def test_floats_for_codes_and_codes_for_floats_are_mistakes(tmp_path: Path, noise: Any) -> None:
    pcm: dict[str, Any] = {
        "format": "flac",
        "bit_depth": "16",
        "sample_rate": RATE,
        "n_channels": 2,
    }
    with pytest.raises(TypeError), Encoder(tmp_path / "a", **pcm) as encoder:
        encoder.write(noise(10))
    with pytest.raises(TypeError), Encoder(tmp_path / "b", **{**pcm, "format": "mp3"}) as encoder:
        encoder.write_codes(np.zeros((2, 10), dtype=np.int32))


@pytest.mark.parametrize(
    ("name", "depth", "field"),
    [("ogg", "16", "format"), ("wav", "32", "bit_depth"), ("flac", "32f", "bit_depth")],
)
def test_what_cannot_be_written_is_refused_by_name(name: str, depth: str, field: str) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        check_format(name, depth)
    assert caught.value.field == field
    assert isinstance(caught.value, StemcrateError)


@pytest.mark.parametrize(
    ("name", "rate", "expected"),
    [
        ("mp3", 44_100, 44_100),
        ("mp3", 88_200, 44_100),
        ("mp3", 96_000, 48_000),
        ("mp3", 192_000, 48_000),
        ("mp3", 37_800, 44_100),
        ("m4a", 96_000, 96_000),
        ("m4a", 176_400, 88_200),
        ("opus", 44_100, 48_000),
        ("wav", 37_800, 37_800),
        ("alac", 192_000, 192_000),
        ("flac", 192_000, 192_000),
    ],
)
def test_sample_rates(name: str, rate: int, expected: int) -> None:
    assert supported_sample_rate(name, rate) == expected


def test_every_format_has_a_suffix() -> None:
    assert set(SUFFIX) == set(FORMATS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_is_storage_full(tmp_path: Path, name: Any) -> None:
    """libsndfile says "system error" to it, FFmpeg says so only when the file is closed."""
    path = tmp_path / "full"
    path.symlink_to("/dev/full")
    noise = np.random.default_rng(0).standard_normal((2, 200_000)) * 0.1
    with (
        pytest.raises(StorageFull),
        Encoder(path, format=name, bit_depth="16", sample_rate=RATE, n_channels=2) as encoder,
    ):
        for _ in range(3):
            if is_pcm(name, "16"):
                encoder.write_codes((noise * 32767).astype(np.int32))
            else:
                encoder.write(noise.astype(np.float32))
    assert not path.is_symlink()
