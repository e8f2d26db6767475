"""Every time in every fact lies in the recording, and times follow one another."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.analysis.blocks import analyse_blocks

RATES = (8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000)


def _play(n_samples: int, rate: int, beat_s: float, seed: int) -> NDArray[Any]:
    """Play a chord that changes every two seconds, and noise on every beat."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(n_samples) / rate
    roots_hz = 110 * 2 ** (rng.integers(0, 12, 400)[(times_s // 2).astype(int) % 400] / 12)
    phases = 2 * np.pi * np.cumsum(roots_hz) / rate
    chord = sum(np.sin(ratio * phases) for ratio in (1, 1.25, 1.5))
    strokes = rng.normal(size=n_samples) * np.exp(-30 * (times_s % beat_s))
    return (0.1 * chord + 0.2 * strokes).astype(np.float32)[None]


def _assert_tiled(spans: Any, duration_s: Any) -> None:
    """From 0 s to the end without gaps; the analysis may end within a sample of its own rate."""
    if spans:
        assert spans[0]["start_s"] == 0
        assert all(one["end_s"] == other["start_s"] for one, other in pairwise(spans))
        assert duration_s - 5e-5 <= spans[-1]["end_s"] <= duration_s
        assert all(span["start_s"] < span["end_s"] for span in spans)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    seconds=st.floats(0.01, 12),
    beat_s=st.floats(0.2, 1.2),
    seed=st.integers(0, 99),
)
@example(rate=44100, seconds=0.01, beat_s=0.5, seed=0)
@example(rate=44100, seconds=20.00003, beat_s=0.47, seed=1)
@example(rate=8000, seconds=600.0, beat_s=0.47, seed=2)
@example(rate=192000, seconds=3.14159, beat_s=0.31, seed=3)
@example(rate=8000, seconds=5.5, beat_s=0.640625, seed=0)
def test_no_time_lies_outside_the_recording(
    rate: int, seconds: float, beat_s: float, seed: int
) -> None:
    """A cue a hair after the last sample, or a chord that ends before it starts, stops players."""
    n_samples = round(seconds * rate)
    found = analyse_blocks([_play(n_samples, rate, beat_s, seed)], rate, 1)
    facts = found.model_dump(mode="json")
    duration_s = facts["duration_s"]
    cues_s = [cue["time_s"] for cue in facts["cues"]]
    grid_s = [segment["start_s"] for segment in facts["beat_grid"]]
    for times_s in (facts["beats_s"], facts["downbeats_s"], cues_s, grid_s):
        assert all(0 <= time_s < duration_s for time_s in times_s)
        assert times_s == sorted(set(times_s))
    assert set(facts["downbeats_s"]) <= set(facts["beats_s"])
    for name in ("chords", "sections", "key_over_time"):
        _assert_tiled(facts[name], duration_s)
    for name in ("mix_in_s", "mix_out_s", "audible_s"):
        if facts[name]:
            start_s, end_s = facts[name]
            assert 0 <= start_s <= end_s <= duration_s
    curve = facts["energy_over_time"]
    assert (len(curve["values"]) - 1) * curve["hop_s"] < duration_s
    assert facts["first_downbeat_s"] is None or 0 <= facts["first_downbeat_s"] < duration_s
