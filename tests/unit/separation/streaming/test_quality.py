from typing import Any

import numpy as np
import pytest

from core.separation.streaming.quality import QualityCard, QualityMeter
from tests.unit.separation.measure import make_noise


def measure(mixture: Any, stems: Any, n_blocks: int = 3) -> QualityCard:
    meter = QualityMeter(tuple(stems))
    residual = mixture - sum(stems.values())
    for part in np.array_split(np.arange(mixture.shape[1]), n_blocks):
        meter.add(mixture[:, part], {k: v[:, part] for k, v in stems.items()}, residual[:, part])
    return meter.card()


def test_levels_peaks_and_clipped_samples() -> None:
    loud = np.zeros((2, 1000), np.float32)
    loud[0, 3] = -2.0
    silent = np.zeros_like(loud)
    card = measure(loud, {"vocals": loud, "other": silent})
    assert card.stems["vocals"].peak_dbfs == pytest.approx(6.02)
    assert card.stems["vocals"].rms_dbfs == pytest.approx(10 * np.log10(4 / 2000), abs=0.01)
    assert card.stems["vocals"].n_clipped == 1
    assert not card.stems["vocals"].is_silent
    assert card.stems["other"].is_silent
    assert card.stems["other"].rms_dbfs is None
    assert card.residual_dbfs is None
    assert card.correlation == {"vocals/other": None}
    assert not card.mixture_is_silent


def test_leakage_shows_as_correlation() -> None:
    voice, drums = make_noise(50_000, seed=1), make_noise(50_000, seed=2)
    clean = measure(voice + drums, {"a": voice, "b": drums})
    leaky = measure(voice + drums, {"a": voice + drums / 2, "b": drums / 2})
    assert clean.correlation["a/b"] == pytest.approx(0, abs=0.05)
    assert leaky.correlation["a/b"] > 0.3


def test_the_residual_is_what_the_stems_leave() -> None:
    mixture = make_noise(10_000)
    card = measure(mixture, {"a": mixture * np.float32(0.9)})
    level = 20 * np.log10(0.1 * np.sqrt(np.mean(mixture**2)))
    assert card.residual_dbfs == pytest.approx(level, abs=0.01)


def test_silence() -> None:
    silence = np.zeros((2, 100), np.float32)
    card = measure(silence, {"a": silence, "b": silence})
    assert card.mixture_is_silent
    assert card.residual_peak_dbfs is None
