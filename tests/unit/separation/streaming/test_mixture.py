"""A mixture read block by block: at any rate what reading it whole would give."""

from typing import Any

import numpy as np
import pytest

from core.audio.resample import resample
from core.separation.streaming.mixture import LOOKBACK_S, Mixture
from core.separation.streaming.passes import side_by_side
from core.separation.streaming.scale import Scale
from tests.unit.separation.measure import make_noise, snr_db


def make_mixture(samples: Any, rate: Any) -> Mixture:
    n_channels, n_samples = samples.shape
    return Mixture(lambda start, stop: samples[:, start:stop], n_channels, n_samples, rate)


@pytest.mark.parametrize("rate", [44100, 48000, 96000, 22050])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_reading_in_pieces_gives_the_whole(rate: int, n_channels: int) -> None:
    """A resampler that forgets its state between blocks clicks at every join."""
    samples = make_noise(700_000, n_channels=n_channels)
    stereo = make_mixture(samples, rate).as_stereo(44100)
    whole = resample(samples, rate, 44100, n_samples=stereo.n_samples)
    whole = np.repeat(whole, 2, axis=0) if n_channels == 1 else whole
    pieces = [
        stereo.read(start, min(start + 50_000, stereo.n_samples))
        for start in range(0, stereo.n_samples, 50_000)
    ]
    assert snr_db(whole, np.concatenate(pieces, axis=1)) > 120
    assert snr_db(whole, np.concatenate(list(stereo.blocks()), axis=1)) > 120
    back = stereo.n_samples - 60_000
    assert snr_db(whole[:, back:], stereo.read(back, stereo.n_samples)) > 120


def test_what_is_long_gone_is_not_given() -> None:
    """Memory stays flat because old samples go; asking for them is a mistake, not silence."""
    samples = make_noise(48000 * (LOOKBACK_S + 20), n_channels=1)
    stereo = make_mixture(samples, 48000).as_stereo(44100)
    stereo.read(stereo.n_samples - 100, stereo.n_samples)
    with pytest.raises(ValueError, match="gone"):
        stereo.read(0, 100)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_stems_are_delivered_in_the_mixtures_shape(rate: int, n_channels: int) -> None:
    samples = make_noise(300_001, n_channels=n_channels)
    mixture = make_mixture(samples, rate)
    stereo = mixture.as_stereo(44100)
    stems = (np.stack([block, 0.5 * block]) for block in stereo.blocks())
    delivered = np.concatenate(list(mixture.deliver(stems, 44100)), axis=2)
    assert delivered.shape == (2, n_channels, 300_001)
    np.testing.assert_allclose(delivered[1], 0.5 * delivered[0], atol=1e-6)


def test_networks_with_other_segments_are_kept_in_step() -> None:
    """A bag may mix networks of different segments: their sums must be of the same moment."""
    time = np.arange(1000.0, dtype=np.float32)
    cuts = (range(300, 1000, 300), range(170, 1000, 170), ())
    steps = list(side_by_side([iter(np.split(time, cut)) for cut in cuts]))
    for blocks in steps:
        assert all(np.array_equal(block, blocks[0]) for block in blocks)
    np.testing.assert_array_equal(np.concatenate([blocks[0] for blocks in steps]), time)


def test_mean_and_deviation_by_blocks_are_those_of_the_whole() -> None:
    samples = make_noise(600_000) + np.float32(0.3)
    scale = Scale(make_mixture(samples, 44100).as_stereo(44100))
    mono = samples.mean(axis=0, dtype=np.float64)
    assert float(scale.mean) == pytest.approx(mono.mean(), rel=1e-6)
    assert float(scale.std) == pytest.approx(mono.std(ddof=1), rel=1e-6)
