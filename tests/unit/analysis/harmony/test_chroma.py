"""Pitch classes over time."""

from unittest.mock import patch

import numpy as np
import pytest

from core.analysis.harmony import chroma
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.spectra import measure_spectra
from tests.progressions import RATE, play, play_chord


@pytest.mark.slow
@pytest.mark.parametrize("root", range(12))
def test_the_notes_of_a_chord_stand_out(root: int) -> None:
    """A fold that starts on E instead of C is always wrong."""
    found = measure_chroma(measure_spectra([play_chord(root, (0, 4, 7), 3)])).full.sum(axis=0)
    assert set(np.argsort(-found)[:3]) == {root, (root + 4) % 12, (root + 7) % 12}


def test_the_bass_is_heard_apart() -> None:
    """A slash chord's root must not be taken for its bass."""
    time = np.arange(3 * RATE) / RATE
    low = 0.3 * np.sin(2 * np.pi * 65.4 * time)
    high = 0.3 * np.sin(2 * np.pi * 659.3 * time)
    found = measure_chroma(measure_spectra([(low + high).astype(np.float32)]))
    assert found.bass.sum(axis=0).argmax() == 0
    assert found.bass[:, 4].max() < 0.1 * found.full[:, 4].max()


def test_parts_join_without_a_seam() -> None:
    """Frames at the edge of a part need their neighbours for what lasts."""
    spectra = measure_spectra([play(9, "minor")])
    whole = measure_chroma(spectra)
    with patch.object(chroma, "_FRAMES_AT_ONCE", 5):
        parts = measure_chroma(spectra)
    for name in ("full", "peaks", "bass"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name))


def test_a_click_has_no_pitch() -> None:
    """The rounding of a flat spectrum, whitened, must not count."""
    click = np.zeros(5 * RATE, dtype=np.float32)
    click[2 * RATE] = 1
    assert not measure_chroma(measure_spectra([click])).full.any()


def test_silence_and_nothing_have_no_pitch() -> None:
    """The level is divided by the peak."""
    for n_samples in (0, RATE):
        spectra = measure_spectra([np.zeros(n_samples, dtype=np.float32)])
        found = measure_chroma(spectra)
        assert found.full.shape == (len(spectra.pitches), 12)
        assert not found.full.any()
