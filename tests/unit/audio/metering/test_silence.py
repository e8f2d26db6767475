"""Which recordings count as silent."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from core.audio.buffer import Samples
from core.audio.metering.silence import is_silent, is_silent_peak


@pytest.mark.parametrize(("peak", "silent"), [(0.0, True), (3e-4, True), (4e-4, False)])
def test_noise_of_a_converter_is_silence_and_a_faint_song_is_not(peak: float, silent: bool) -> None:
    quiet = np.zeros((2, 100), np.float32)
    loud = quiet.copy()
    loud[1, 50] = -peak
    assert is_silent([quiet, loud]) is silent
    assert is_silent_peak(20 * math.log10(peak) if peak else None) is silent


def test_a_song_is_not_read_to_its_end() -> None:
    def blocks() -> Iterator[Samples]:
        yield np.ones((2, 10), np.float32)
        raise AssertionError("read on")

    assert not is_silent(blocks())


def test_nothing_is_silent() -> None:
    assert is_silent([])
    assert is_silent([np.zeros((2, 0), np.float32)])
