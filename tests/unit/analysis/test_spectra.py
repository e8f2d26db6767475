"""The shared pass over the audio, on signals whose spectra are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.spectra import (
    ANALYSIS_RATE_HZ,
    BINS_PER_SEMITONE,
    LOWEST_MIDI,
    load_spectra,
    measure_spectra,
    mel_centres_hz,
    save_spectra,
)


def noise(n_samples: int) -> NDArray[Any]:
    return np.random.default_rng(0).normal(size=n_samples).astype(np.float32) * 0.1


def sine(frequency_hz: float, duration_s: float = 3.0) -> NDArray[Any]:
    times_s = np.arange(int(duration_s * ANALYSIS_RATE_HZ)) / ANALYSIS_RATE_HZ
    return (0.5 * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


@pytest.mark.parametrize("n_samples", [1, 255, 4097, 50_000])
@pytest.mark.parametrize("block", [97, 8192])
def test_blocks_leave_no_seam(n_samples: int, block: int) -> None:
    """Frames lost or doubled where two blocks meet put every beat after them out of place."""
    mono = noise(n_samples)
    whole = measure_spectra([mono])
    parts = measure_spectra(mono[start : start + block] for start in range(0, n_samples, block))
    assert whole.mel.shape == (1 + n_samples // 256, 40)
    assert whole.pitches.shape == (1 + n_samples // 4096, 207)
    np.testing.assert_allclose(parts.mel, whole.mel, atol=1e-6)
    np.testing.assert_allclose(parts.pitches, whole.pitches, atol=1e-6)
    assert (parts.n_samples, parts.peak) == (whole.n_samples, whole.peak)


def test_frames_are_centred_on_their_time() -> None:
    """A frame read half a window late shifts the grid by 23 ms."""
    mono = np.zeros(40_000, dtype=np.float32)
    mono[256 * 70] = 1
    spectra = measure_spectra([mono])
    loudest = int(spectra.mel.sum(axis=1).argmax())
    assert loudest == 70
    assert spectra.mel_times_s[loudest] == pytest.approx(256 * 70 / ANALYSIS_RATE_HZ)


@pytest.mark.parametrize("midi", [40, 57, 69, 90])
def test_a_note_is_strongest_in_the_middle_of_its_three_bins(midi: int) -> None:
    """Bins off by one make every key a semitone wrong."""
    spectra = measure_spectra([sine(440 * 2 ** ((midi - 69) / 12))])
    strongest = int(spectra.pitches.mean(axis=0).argmax())
    assert strongest == (midi - LOWEST_MIDI) * BINS_PER_SEMITONE + 1


@pytest.mark.parametrize("cents", [-40, 0, 30])
def test_a_detuned_note_tells_its_cents(cents: int) -> None:
    """A chroma read beside the notes of a detuned recording gives the neighbour's key."""
    spectra = measure_spectra([sine(440 * 2 ** (cents / 1200))])
    assert spectra.tuning_cents == pytest.approx(cents, abs=2)


def test_a_sine_is_loudest_in_the_band_at_its_frequency() -> None:
    band = 20
    spectra = measure_spectra([sine(float(mel_centres_hz()[band]))])
    assert int(spectra.mel.mean(axis=0).argmax()) == band


def test_silence_and_nothing_have_one_frame_and_no_peak() -> None:
    """Analysers divide by the peak and take the first frame: neither may be missing or NaN."""
    for blocks in ([], [np.zeros(0, dtype=np.float32)], [np.zeros(100, dtype=np.float32)]):
        spectra = measure_spectra(blocks)
        assert spectra.is_silent
        assert spectra.peak == 0
        assert spectra.mel.shape == (1, 40)
        assert not spectra.mel.any()
        assert not spectra.pitches.any()
        assert spectra.tuning_cents == 0


def test_spectra_come_back_from_their_file_as_they_went(tmp_path: Path) -> None:
    spectra = measure_spectra([noise(20_000)])
    save_spectra(tmp_path / "spectra", spectra)
    again = load_spectra(tmp_path / "spectra")
    np.testing.assert_array_equal(again.mel, spectra.mel)
    np.testing.assert_array_equal(again.pitches, spectra.pitches)
    assert (again.n_samples, again.peak) == (spectra.n_samples, spectra.peak)
    assert again.tuning_cents == spectra.tuning_cents
