"""Harmonic and percussive: block by block must be what the whole file gives."""

import tracemalloc
from typing import Any

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.harmonic_percussive import split_blocks

RATE = 44100


def split(mixture: Any, **options: Any) -> tuple[Any, ...]:
    def read(start: Any, count: Any) -> Any:
        assert 0 <= start < start + count <= mixture.shape[1]
        return mixture[:, start : start + count]

    parts = list(split_blocks(read, mixture.shape[1], mixture.shape[0], **options))
    return tuple(np.concatenate(part, axis=1) for part in zip(*parts, strict=True))


def tones_and_noise(seconds: float, n_channels: int = 1, rate: int = RATE) -> NDArray[Any]:
    rng = np.random.default_rng(7)
    time = np.arange(int(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * f * time) for f in (220.0, 277.2, 1320.0)) * 0.1
    bursts = rng.normal(size=(n_channels, len(time))) * np.exp(-(time % 0.5) * 30) * 0.3
    return (tones + bursts).astype(np.float32)


def whole_file(mixture: Any, kernel_size: Any = 31, margin: Any = (1.0, 1.0)) -> list[Any]:
    spectrum = librosa.stft(mixture, n_fft=2048, hop_length=512)
    parts = librosa.decompose.hpss(spectrum, kernel_size=kernel_size, margin=margin)
    return [librosa.istft(part, hop_length=512, length=mixture.shape[-1]) for part in parts]


def snr_db(reference: Any, estimate: Any) -> Any:
    error = np.sum((reference.astype(float) - estimate) ** 2)
    return 10 * np.log10(np.sum(reference.astype(float) ** 2) / error)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("margin", "kernel_size", "block_frames"),
    [((1.0, 1.0), 31, 400), ((2.0, 3.0), 17, 256)],
)
def test_blocks_leave_no_seam(
    margin: tuple[float, float], kernel_size: int, block_frames: int
) -> None:
    seconds = 20 if kernel_size == 31 else 5
    mixture = tones_and_noise(seconds, rate=22050)
    options = {"kernel_size": kernel_size, "margin": margin}
    parts = split(mixture, block_frames=block_frames, **options)
    for part, reference in zip(parts, whole_file(mixture[0], **options), strict=True):
        assert part.dtype == np.float32
        assert snr_db(reference, part[0]) > 100


def test_the_parts_sum_to_the_mixture() -> None:
    mixture = tones_and_noise(3, n_channels=2)
    harmonic, percussive = split(mixture, block_frames=64)
    assert np.abs(harmonic + percussive - mixture).max() < 1e-6


def test_each_channel_is_split_for_itself() -> None:
    mixture = tones_and_noise(2, n_channels=2)
    both = split(mixture)
    for channel in range(2):
        alone = split(mixture[channel : channel + 1])
        for part, one in zip(both, alone, strict=True):
            np.testing.assert_array_equal(part[channel], one[0])


def test_a_tone_is_harmonic_and_a_click_is_percussive() -> None:
    time = np.arange(2 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[None]
    click = np.zeros((1, 2 * RATE), dtype=np.float32)
    click[0, RATE] = 1
    harmonic, percussive = split(tone)
    assert np.sum(harmonic**2) > 50 * np.sum(percussive**2)
    harmonic, percussive = split(click)
    assert np.sum(percussive**2) > 50 * np.sum(harmonic**2)


def test_margins_leave_a_residual_and_never_more_than_the_mixture() -> None:
    mixture = tones_and_noise(2)
    harmonic, percussive = split(mixture, margin=(3.0, 3.0))
    residual = mixture - harmonic - percussive
    assert 0 < np.sum(residual**2) < np.sum(mixture**2)


def test_silence_stays_exact_silence() -> None:
    for margin in ((1.0, 1.0), (2.0, 2.0)):
        for part in split(np.zeros((2, RATE), dtype=np.float32), margin=margin):
            assert not part.any()


@pytest.mark.slow
@pytest.mark.parametrize("n_samples", [1, 2, 511, 512, 513, 2047, 2048, 2049, 5000])
@pytest.mark.parametrize("block_frames", [1, 3, 1024])
def test_short_inputs_keep_their_length_and_sum(n_samples: int, block_frames: int) -> None:
    mixture = tones_and_noise(1)[:, :n_samples]
    harmonic, percussive = split(mixture, block_frames=block_frames)
    assert harmonic.shape == percussive.shape == mixture.shape
    assert np.isfinite(harmonic).all()
    assert np.abs(harmonic + percussive - mixture).max() < 1e-6
    expected, _ = whole_file(mixture[0]) if n_samples > 2048 else (harmonic[0], None)
    np.testing.assert_allclose(harmonic[0], expected, atol=1e-5)


def test_no_samples_give_no_blocks() -> None:
    assert list(split_blocks(lambda start, count: np.zeros((1, count), np.float32), 0, 1)) == []


@pytest.mark.slow
def test_memory_does_not_grow_with_length() -> None:
    block = tones_and_noise(1, rate=8000)

    def peak_bytes(seconds: Any) -> int:
        def read(start: Any, count: Any) -> Any:
            return block[:, np.arange(start, start + count) % block.shape[1]]

        tracemalloc.start()
        for _ in split_blocks(read, seconds * 8000, 1, block_frames=64):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_bytes(40) < 1.1 * peak_bytes(15)


@pytest.mark.parametrize(
    "options", [{"margin": (0.5, 1.0)}, {"hop_length": 1024}, {"power": 0}, {"kernel_size": 0}]
)
def test_parameters_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        split(np.zeros((1, 100), dtype=np.float32), **options)
