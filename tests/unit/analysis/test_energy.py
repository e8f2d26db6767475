"""Energy: fixed anchors, more never gives less, over time too."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.energy import (
    MAX_POINTS,
    WEIGHTS,
    EnergyEstimate,
    estimate_energy,
    rate_energy,
)
from core.analysis.spectra import measure_spectra

RATE = 22050
RANGES = {"loudness": (-40, 0), "flux": (0, 0.3), "drive": (0, 0.4), "density": (0, 12)}
MIDDLE = {"loudness": -14.0, "flux": 0.07, "drive": 0.1, "density": 4.0}


def _estimate(mono: Any, lufs: Any) -> EnergyEstimate:
    return estimate_energy(measure_spectra([mono.astype(np.float32)]), lufs)


def _beat(seconds: float, period_s: float = 0.25, level: float = 0.3) -> NDArray[Any]:
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).normal(size=len(time))
    return level * noise * np.exp(-(time % period_s) * 25)


def _pad(seconds: float) -> NDArray[Any]:
    return 0.3 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * RATE)) / RATE)


@pytest.mark.parametrize("name", RANGES)
def test_more_of_any_component_never_lowers_the_energy(name: Any) -> None:
    values = [
        float(rate_energy(**{**MIDDLE, name: value})["value"])
        for value in np.linspace(*RANGES[name], 30)
    ]
    assert values == sorted(values)
    assert values[0] < values[-1]
    assert all(1 <= value <= 10 for value in values)


def test_the_ends_of_the_scale_are_reached() -> None:
    top = {name: high for name, (_, high) in RANGES.items()}
    assert rate_energy(**top)["value"] == pytest.approx(10)
    assert rate_energy(loudness=-np.inf, flux=0, drive=0, density=0)["value"] == 1.0
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_a_driving_beat_has_more_energy_than_a_pad() -> None:
    assert _estimate(_pad(8) + _beat(8), -8.0).energy >= _estimate(_pad(8), -20.0).energy + 3


def test_more_onsets_of_one_kind_are_more_energy() -> None:
    components = [_estimate(_beat(8, period), -12.0).components for period in (1.0, 0.5, 0.25)]
    densities = [component["density"] for component in components]
    assert densities == sorted(densities)
    assert densities[0] < densities[-1]


def test_a_kick_drum_counts_as_drive() -> None:
    """Drive that hears the whole spectrum would call hi-hats a bass line."""
    time = np.arange(8 * RATE) / RATE
    kick = np.sin(2 * np.pi * 55 * time) * np.exp(-14 * (time % 0.5))
    hats = np.diff(_beat(8), prepend=0.0)
    assert _estimate(kick, -12.0).components["drive"] > _estimate(hats, -12.0).components["drive"]


def test_loudness_is_counted_once() -> None:
    """A quieter master of the same mix must differ by its loudness component alone."""
    mono = np.random.default_rng(0).normal(size=4 * RATE) * 0.1
    loud, quiet = _estimate(mono, -10.0), _estimate(mono / 8, -28.0)
    for name in ("flux", "drive", "density"):
        assert quiet.components[name] == pytest.approx(loud.components[name], abs=1e-2)
    assert quiet.components["loudness"] == 0


def test_the_curve_follows_the_track() -> None:
    estimate = _estimate(np.concatenate([_pad(20) / 10, _pad(20) + _beat(20)]), -12.0)
    assert len(estimate.curve) == 40
    assert max(estimate.curve[5:15]) + 2 < min(estimate.curve[25:35])
    assert all(1 <= value <= 10 for value in estimate.curve)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_silent_parts_have_a_value(seed: int) -> None:
    """Their power came out below zero, whose logarithm is not a number."""
    rng = np.random.default_rng(seed)
    lengths_s = rng.uniform(3, 12, 8)
    levels = rng.choice([0, 0, 0.9, 1e-5, 0.3], 8)
    parts = [
        rng.normal(size=int(s * RATE)) * level for s, level in zip(lengths_s, levels, strict=True)
    ]
    assert np.isfinite(_estimate(np.concatenate(parts), -14.0).curve).all()


def test_a_long_curve_has_no_more_points_than_a_screen_can_show() -> None:
    """A value a second would put ten thousand numbers into the manifest of a mix."""
    estimate = _estimate(_beat(MAX_POINTS * 1.2), -12.0)
    assert len(estimate.curve) <= MAX_POINTS
    assert estimate.curve_hop_s == 2.0


@pytest.mark.parametrize("n_samples", [0, 1, 100, RATE])
@pytest.mark.parametrize("lufs", [None, -np.inf])
def test_silence_is_one_whatever_its_length(n_samples: Any, lufs: Any) -> None:
    assert _estimate(np.zeros(n_samples), lufs) == EnergyEstimate()


@pytest.mark.parametrize("n_samples", [1, 300, RATE // 2])
def test_the_shortest_sounds_have_a_result(n_samples: Any) -> None:
    estimate = _estimate(np.ones(n_samples), None)
    assert 1 <= estimate.energy <= 10
    assert np.isfinite(estimate.value)
    assert np.isfinite(estimate.curve).all()
