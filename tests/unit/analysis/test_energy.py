"""Energy: fixed anchors, more never gives less."""

import numpy as np
import pytest

from core.analysis.energy import EnergyEstimate, estimate_energy, rate_energy

RATE = 22050


@pytest.mark.parametrize("name", ["integrated_lufs", "activity", "brightness_mel"])
def test_more_of_any_component_never_lowers_the_energy(name):
    lowest, highest = {
        "integrated_lufs": (-40, 0),
        "activity": (0, 0.3),
        "brightness_mel": (0, 3000),
    }[name]
    middle = {"integrated_lufs": -14.0, "activity": 0.08, "brightness_mel": 1100.0}
    estimates = [
        rate_energy(**{**middle, name: value}) for value in np.linspace(lowest, highest, 30)
    ]
    values = [estimate.value for estimate in estimates]
    assert values == sorted(values)
    assert values[0] < values[-1]
    assert all(1 <= estimate.energy <= 10 for estimate in estimates)


def test_the_ends_of_the_scale_are_reached():
    assert rate_energy(integrated_lufs=-7, activity=1, brightness_mel=4000).energy == 10
    assert rate_energy(integrated_lufs=-np.inf, activity=0, brightness_mel=0).value == 1.0


def test_a_driving_beat_has_more_energy_than_a_pad():
    time = np.arange(8 * RATE) / RATE
    pad = (0.3 * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
    hits = np.random.default_rng(0).normal(size=len(time)) * np.exp(-(time % 0.25) * 25)
    beat = (pad + 0.3 * hits).astype(np.float32)
    assert estimate_energy(beat, RATE, -8).energy >= estimate_energy(pad, RATE, -20).energy + 3


def test_loudness_is_counted_once():
    """A quieter master of the same mix must differ by its loudness component alone."""
    mono = np.random.default_rng(0).normal(size=4 * RATE).astype(np.float32) * 0.1
    loud, quiet = estimate_energy(mono, RATE, -10), estimate_energy(mono / 8, RATE, -28)
    assert quiet.components["activity"] == pytest.approx(loud.components["activity"], abs=1e-3)
    assert quiet.components["loudness"] == 0


@pytest.mark.parametrize("n_samples", [0, 1, 100, RATE])
@pytest.mark.parametrize("lufs", [None, -np.inf])
def test_silence_is_one_whatever_its_length(n_samples, lufs):
    assert estimate_energy(np.zeros(n_samples, dtype=np.float32), RATE, lufs) == EnergyEstimate()


def test_a_single_sample_has_a_result():
    estimate = estimate_energy(np.ones(1, dtype=np.float32), RATE, None)
    assert 1 <= estimate.energy <= 10
    assert np.isfinite(estimate.value)
