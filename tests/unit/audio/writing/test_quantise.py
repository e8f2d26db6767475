"""Codes and samples stand for each other exactly; dither is white and small."""

from typing import Any

import numpy as np
import pytest

from core.audio.writing.quantise import dither_noise, quantise


@pytest.mark.parametrize("bit_depth", [16, 24])
def test_codes_survive_the_way_to_float_and_back(bit_depth: Any) -> None:
    top = 1 << (bit_depth - 1)
    edge = np.array([[-top, -top + 1, -1, 0, 1, top - 1]])
    codes = np.concatenate([edge, edge // 3], axis=1).astype(np.int32)
    samples = (codes / top).astype(np.float32)
    np.testing.assert_array_equal(quantise(samples, bit_depth), codes)


def test_clipping_doesnt_wrap_round() -> None:
    codes = quantise(np.array([1.0, 2.0, -1.0, -2.0]), 16)
    assert codes.tolist() == [32767, 32767, -32768, -32768]


def test_dither_keeps_the_mean_below_one_step() -> None:
    """A tone of a quarter LSB is rounded to nothing without dither."""
    quiet = np.full(200_000, 0.25 / 32768)
    assert not quantise(quiet, 16).any()
    dithered = np.rint(quiet * 32768 + dither_noise(quiet.shape, seed=(0,)))
    assert dithered.mean() == pytest.approx(0.25, abs=0.01)
    assert set(np.unique(dithered)) <= {-1, 0, 1}


def test_dither_noise_can_be_made_again() -> None:
    noise = dither_noise((2, 50_000), seed=(1, 2))
    np.testing.assert_array_equal(noise, dither_noise((2, 50_000), seed=(1, 2)))
    assert (noise != dither_noise((2, 50_000), seed=(1, 3))).any()
    assert noise.var() == pytest.approx(1 / 6, rel=0.03)
    assert np.abs(noise).max() <= 1


def test_the_callers_array_is_left_alone_and_nan_is_refused() -> None:
    samples = np.array([0.5, -0.5], dtype=np.float32)
    quantise(samples, 16)
    assert samples.tolist() == [0.5, -0.5]
    with pytest.raises(ValueError, match="finite"):
        quantise(np.array([np.nan]), 16)
    with pytest.raises(ValueError, match="bit_depth"):
        quantise(samples, 20)  # type: ignore[arg-type]
