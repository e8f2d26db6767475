"""Descriptors: one layout, the same for the same sound, nearer for what sounds more alike."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.descriptors import LAYOUT, N_DESCRIPTORS, describe_sound
from core.analysis.spectra import measure_spectra
from tests.unit.analysis.songs import RATE, make_track


def _describe(mono: Any) -> NDArray[Any]:
    return describe_sound(measure_spectra([np.asarray(mono, np.float32)]))


def _likeness(a: Any, b: Any) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture(scope="module")
def drop() -> NDArray[Any]:
    return make_track((("drop", 8),))


def test_the_vector_has_the_length_of_its_layout(drop: Any) -> None:
    vector = _describe(drop)
    assert vector.shape == (N_DESCRIPTORS,) == (sum(LAYOUT.values()),)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()


def test_no_block_drowns_the_others(drop: Any) -> None:
    """Without scaling the dB of the MFCC would be all that a distance sees."""
    vector = _describe(drop)
    parts = np.split(vector, np.cumsum(list(LAYOUT.values()))[:-1])
    energies = np.array([float(part @ part) for part in parts])
    assert energies.max() < 0.8 * energies.sum()


@pytest.mark.parametrize("gain", [0.1, -1.0])
def test_gain_and_polarity_change_nothing(drop: Any, gain: float) -> None:
    np.testing.assert_allclose(_describe(gain * drop), _describe(drop), atol=0.02)


def test_what_sounds_alike_is_nearer(drop: Any) -> None:
    again = _describe(make_track((("drop", 6),), lead_in_s=0.3))
    other = _describe(make_track((("break", 8),)))
    assert _likeness(_describe(drop), again) > 0.9
    assert _likeness(_describe(drop), other) < 0.5


def test_transposition_changes_little() -> None:
    """Likeness is about sound, not about key: the chroma starts at its strongest class."""
    time = np.arange(6 * RATE) / RATE

    def chord(shift: Any) -> Any:
        tones = [np.sin(2 * np.pi * hz * 2 ** (shift / 12) * time) for hz in (220, 277.18, 329.63)]
        return 0.2 * sum(tones) * (1 + np.sin(4 * np.pi * time))

    assert _likeness(_describe(chord(0)), _describe(chord(2))) > 0.9


@pytest.mark.parametrize("n_samples", [0, 1, RATE])
def test_silence_is_like_nothing(n_samples: Any) -> None:
    assert not _describe(np.zeros(n_samples)).any()


@pytest.mark.parametrize("n_samples", [1, 300, RATE // 2])
def test_the_shortest_sounds_have_a_vector(n_samples: Any) -> None:
    assert np.isfinite(_describe(np.ones(n_samples))).all()
