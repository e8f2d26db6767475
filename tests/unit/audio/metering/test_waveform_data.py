"""Waveforms at every scale, and their files as a stranger reads them."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.audio.metering.audiowaveform import encode_dat, encode_json
from core.audio.metering.waveform_data import SAMPLES_PER_PIXEL, measure_waveform

RATE = 44_100


def read_dat(content: bytes) -> dict[str, Any]:
    """Read a file by the words of the published format, with nothing of ours."""

    def number(at: int, signed: bool) -> int:
        return int.from_bytes(content[at : at + 4], "little", signed=signed)

    assert number(0, True) == 2
    assert number(4, False) & 1 == 1
    length, channels = number(16, False), number(20, True)
    values = [byte - 256 if byte > 127 else byte for byte in content[24:]]
    assert len(values) == 2 * length * channels
    minima = [[values[2 * (p * channels + c)] for p in range(length)] for c in range(channels)]
    maxima = [[values[2 * (p * channels + c) + 1] for p in range(length)] for c in range(channels)]
    return {
        "rate": number(8, True),
        "scale": number(12, True),
        "minima": np.array(minima),
        "maxima": np.array(maxima),
        "data": values,
    }


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("n_samples", [1, 511, 512, 513, 20_011])
def test_a_file_holds_the_extremes_of_every_pixel(
    noise: Any, n_channels: Any, n_samples: Any
) -> None:
    """Channels in the wrong order, or a lost last pixel, draw another recording."""
    samples = noise(n_samples, n_channels)
    data = measure_waveform([samples], RATE, n_channels)
    for level in data.levels:
        read = read_dat(encode_dat(level, RATE))
        assert (read["rate"], read["scale"]) == (RATE, level.samples_per_pixel)
        starts = np.arange(0, n_samples, level.samples_per_pixel)
        assert np.abs(read["minima"] / 128 - np.minimum.reduceat(samples, starts, 1)).max() < 0.005
        assert np.abs(read["maxima"] / 128 - np.maximum.reduceat(samples, starts, 1)).max() < 0.005
    assert data.levels[-1].low.shape == (n_channels, 1)


def test_full_scale_and_beyond_stay_inside_a_byte() -> None:
    """A sample of +1 that wraps round is drawn as -1."""
    samples = np.array([[1.0, -1.0, 3.0, -3.0]], dtype=np.float32)
    (level,) = measure_waveform([samples], RATE, 1).levels
    read = read_dat(encode_dat(level, RATE))
    assert (read["minima"].item(), read["maxima"].item()) == (-128, 127)


def test_json_says_the_same_as_the_binary_file(noise: Callable[..., np.ndarray]) -> None:
    """Both forms are offered; a player may take either."""
    level = measure_waveform([noise(5000)], RATE, 2).levels[0]
    read = json.loads(json.dumps(encode_json(level, RATE)))
    assert read["data"] == read_dat(encode_dat(level, RATE))["data"]
    assert (read["version"], read["bits"], read["channels"]) == (2, 8, 2)
    assert (read["length"], read["samples_per_pixel"]) == (10, SAMPLES_PER_PIXEL)
    assert [len(values) for values in read["bands"].values()] == [10, 10, 10]


@pytest.mark.parametrize(("hz", "band"), [(60, 0), (100, 0), (300, 1), (1500, 1), (2500, 2)])
@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_a_sine_sounds_in_its_band_alone(hz: int, band: int, rate: int) -> None:
    """A band limit in bins instead of hertz moves with the sample rate."""
    sine = 0.5 * np.sin(2 * np.pi * hz * np.arange(rate) / rate)
    level = measure_waveform([sine.astype(np.float32)[None]], rate, 1).levels[3]
    rms = level.band_rms[2:-2].mean(axis=0)
    assert rms[band] == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    assert np.delete(rms, band).max() < 0.1


def test_the_power_of_the_bands_is_that_of_the_signal(noise: Callable[..., np.ndarray]) -> None:
    """Windows that do not add up lose or count twice what lies between pixels."""
    samples = np.pad(noise(40_000), ((0, 0), (2000, 2000)))
    data = measure_waveform([samples], RATE, 2)
    for level in data.levels[:4]:
        power = np.square(level.band_rms).sum() * level.samples_per_pixel
        assert power == pytest.approx(np.square(samples).sum() / 2, rel=0.1)
    assert np.square(data.levels[0].band_rms).sum() * SAMPLES_PER_PIXEL == pytest.approx(
        np.square(samples).sum() / 2, rel=1e-3
    )


@pytest.mark.parametrize("size", [1, 300, 777, 5000])
def test_the_size_of_the_blocks_changes_nothing(
    noise: Callable[..., np.ndarray], size: int
) -> None:
    """Frames reach beyond a block on both sides."""
    samples = noise(6000)
    blocks = [samples[:, i : i + size] for i in range(0, 6000, size)]
    whole = measure_waveform([samples], RATE, 2)
    parts = measure_waveform(blocks, RATE, 2)
    assert len(whole.levels) == len(parts.levels) == 5
    for one, other in zip(whole.levels, parts.levels, strict=True):
        assert np.array_equal(one.low, other.low)
        assert np.array_equal(one.high, other.high)
        assert one.band_rms == pytest.approx(other.band_rms, abs=1e-6)


def test_silence_is_flat_and_nothing_has_no_levels() -> None:
    """Zero power has a root."""
    silent = measure_waveform([np.zeros((2, 2000), np.float32)], RATE, 2)
    assert not silent.levels[0].band_rms.any()
    assert measure_waveform([], RATE, 2).levels == ()
