"""Stretching along a map of times: exact where nothing changes, lazy, and in time everywhere."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.audio.buffer import BLOCK_SIZE, Samples
from core.audio.stretching.engine import StretchEngine
from core.audio.stretching.stretch import TimeMap, play

RATE = 44_100


class Source:
    """A recording, and the last position that was read of it."""

    def __init__(self, samples: NDArray[np.floating]) -> None:
        self.samples = samples.astype(np.float32)
        self.read_to = 0

    def read(self, start: int, stop: int) -> Samples:
        self.read_to = max(self.read_to, stop)
        result = np.zeros((len(self.samples), stop - start), dtype=np.float32)
        low, high = max(start, 0), min(stop, self.samples.shape[1])
        if low < high:
            result[:, low - start : high - start] = self.samples[:, low:high]
        return result


def noise(n_samples: int, n_channels: int = 2) -> NDArray[np.float64]:
    return 0.1 * np.random.default_rng(5).standard_normal((n_channels, n_samples))


def heard(source: Source, time_map: TimeMap, n_samples: int, semitones: float = 0.0) -> Samples:
    n_channels = len(source.samples)
    blocks = list(
        play(
            source.read,
            time_map,
            n_samples,
            n_channels=n_channels,
            sample_rate=RATE,
            semitones=semitones,
        )
    )
    assert all(block.shape[1] == BLOCK_SIZE for block in blocks[:-1])
    return np.concatenate(blocks, axis=1)


def test_a_map_is_linear_between_and_beyond_its_points() -> None:
    bent = TimeMap(np.array([0.0, 10.0, 20.0]), np.array([100.0, 110.0, 130.0]))
    times = np.array([-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0])
    assert bent.at(times).tolist() == [95.0, 100.0, 105.0, 110.0, 120.0, 130.0, 140.0]
    assert not bent.is_shift()
    assert TimeMap.steady(7.0, 1.0).is_shift()
    assert not TimeMap.steady(7.5, 1.0).is_shift()
    assert not TimeMap.steady(7.0, 1.01).is_shift()


@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_shift_gives_the_samples_themselves_and_silence_beyond(n_channels: int) -> None:
    source = Source(noise(1000, n_channels))
    result = heard(source, TimeMap.steady(-100.0, 1.0), 1200)
    assert not result[:, :100].any()
    assert np.array_equal(result[:, 100:1100], source.samples)
    assert not result[:, 1100:].any()


def test_the_engine_passes_what_it_need_not_change() -> None:
    """At 100 %, what comes out is what went in, at the right sample: nothing is lost or late."""
    source = Source(noise(2 * RATE))
    result = heard(source, TimeMap.steady(300.25, 1.0), RATE)
    assert np.abs(result - source.samples[:, 300 : 300 + RATE]).max() < 1e-6


@pytest.mark.parametrize("n_samples", [1, 2, 1000, BLOCK_SIZE, BLOCK_SIZE + 1])
@pytest.mark.parametrize("semitones", [0.0, 7.0])
def test_the_length_is_the_one_asked_for(n_samples: int, semitones: float) -> None:
    source = Source(noise(RATE, 1))
    result = heard(source, TimeMap.steady(0.0, 1.25), n_samples, semitones)
    assert result.shape == (1, n_samples)
    assert np.isfinite(result).all()


def test_silence_stays_silence() -> None:
    result = heard(Source(np.zeros((2, RATE))), TimeMap.steady(0.0, 0.8), RATE, 3.0)
    assert not result.any()


def test_it_reads_no_further_than_it_has_to() -> None:
    """Memory grew with the length of the song where the whole of it was read first."""
    source = Source(noise(10 * BLOCK_SIZE, 1))
    blocks = play(
        source.read, TimeMap.steady(0.0, 0.5), 20 * BLOCK_SIZE, n_channels=1, sample_rate=RATE
    )
    next(blocks)
    assert source.read_to < BLOCK_SIZE


def test_the_engine_takes_blocks_of_its_size_alone() -> None:
    engine = StretchEngine(2, RATE, max_samples=100)
    with pytest.raises(ValueError, match="at most 100"):
        engine.process(np.zeros((2, 101), dtype=np.float32), 10)
    with pytest.raises(ValueError, match="shape"):
        engine.process(np.zeros((1, 10), dtype=np.float32), 10)


def test_the_player_goes_through_the_same_code() -> None:
    """An update of one of the two files would make the file differ from what was heard."""
    root = Path(__file__).parents[4]
    package = (root / "ui/components/player/vendor/signalsmith-stretch.mjs").read_text()
    encoded = re.search(r"base64,([A-Za-z0-9+/=]+)", package)
    assert encoded
    module = root / "core/audio/stretching/signalsmith-stretch.wasm"
    assert base64.b64decode(encoded[1]) == module.read_bytes()
