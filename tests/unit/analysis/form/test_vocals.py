"""Vocals: the gate over the vocal stem."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.form.vocals import HOP_S, VocalActivity, find_vocals, measure_levels

RATE = 8000


def _levels(*parts: Any) -> NDArray[Any]:
    """Levels from (seconds, dB) pairs."""
    return np.concatenate([np.full(round(seconds / HOP_S), level) for seconds, level in parts])


def _find_in(vocals_db: Any, mixture_db: Any) -> VocalActivity:
    return find_vocals(vocals_db, mixture_db, duration_s=len(vocals_db) * HOP_S)


def test_passages_are_found_where_they_are() -> None:
    stem = _levels((4, -120), (6, -18), (5, -60), (3, -20), (2, -120))
    found = _find_in(stem, _levels((20, -12)))
    np.testing.assert_allclose(found.intervals_s, [(4, 10), (15, 18)], atol=HOP_S)
    assert found.ratio == pytest.approx(9 / 20, abs=0.01)
    assert found.confidence > 0.8
    assert not found.is_instrumental


def test_a_breath_does_not_end_a_passage_and_a_click_is_none() -> None:
    """Without hysteresis a sung line falls into syllables, and every click counts as singing."""
    stem = _levels((2, -18), (0.3, -80), (2, -18), (5, -80), (0.1, -18), (5, -80))
    found = _find_in(stem, _levels((14.4, -12)))
    np.testing.assert_allclose(found.intervals_s, [(0, 4.3)], atol=HOP_S)


def test_a_line_that_fades_lasts_to_the_lower_threshold() -> None:
    stem = _levels((2, -18), (2, -38), (4, -80))
    found = _find_in(stem, _levels((8, -14)))
    np.testing.assert_allclose(found.intervals_s, [(0, 4)], atol=HOP_S)


def test_what_leaks_into_the_stem_of_an_instrumental_is_no_singing() -> None:
    """A gate relative to the stem alone finds singing in every stem that isn't silent."""
    rng = np.random.default_rng(0)
    stem = -45 + 4 * rng.standard_normal(400)
    found = _find_in(stem, np.full(400, -12.0))
    assert found.intervals_s == ()
    assert found.is_instrumental
    assert found.confidence > 0.9


def test_a_faint_stem_is_told_with_little_confidence() -> None:
    found = _find_in(_levels((5, -30), (5, -80)), _levels((10, -12)))
    assert found.intervals_s
    assert found.confidence < 0.3


@pytest.mark.parametrize("n", [0, 1, 5])
def test_silence_has_no_singing(n: int) -> None:
    assert _find_in(np.full(n, -120.0), np.full(n, -120.0)) == VocalActivity()


def test_levels_do_not_depend_on_how_the_audio_is_cut() -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, (2, 8123)).astype(np.float32)
    whole = measure_levels([samples], RATE)
    parts = measure_levels(np.array_split(samples, 13, axis=1), RATE)
    assert len(whole) == -(-8123 // 400)
    np.testing.assert_allclose(parts, whole, atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100])
def test_times_are_exact_at_every_rate(rate: int) -> None:
    """A span rounded to whole samples is late by 0.05 % at 11,025 Hz: 0.15 s in five minutes."""
    signal = np.zeros((1, 300 * rate), dtype=np.float32)
    starts_s = (100.0, 290.0)
    for start_s in starts_s:
        signal[:, round(start_s * rate) : round((start_s + 5) * rate)] = 0.5
    levels = measure_levels(np.array_split(signal, 7, axis=1), rate)
    found = find_vocals(levels, levels, duration_s=300.0)
    expected = [(start_s, start_s + 5) for start_s in starts_s]
    np.testing.assert_allclose(found.intervals_s, expected, atol=1e-6)


@pytest.mark.parametrize("n_samples", [9_001, 9_399, 9_601])
def test_no_passage_ends_after_the_recording(n_samples: int) -> None:
    """The last span of levels is seldom whole: counted as such, singing outlasts the song."""
    levels = measure_levels([np.full((1, n_samples), 0.3, dtype=np.float32)], RATE)
    duration_s = n_samples / RATE
    found = find_vocals(levels, levels, duration_s=duration_s)
    assert found.intervals_s == ((0.0, duration_s),)
    assert found.ratio == 1.0


def test_a_sine_of_full_scale_has_minus_three_db() -> None:
    time = np.arange(RATE) / RATE
    levels = measure_levels([np.sin(2 * np.pi * 400 * time, dtype=np.float32)[None]], RATE)
    np.testing.assert_allclose(levels, -3.01, atol=0.01)
    assert measure_levels([], RATE).shape == (0,)


def _noise(seconds: float, level_db: Any, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return 10 ** (level_db / 20) * rng.standard_normal(round(seconds * RATE)).astype(np.float32)


def _find(stem: Any, accompaniment: Any) -> VocalActivity:
    levels = [measure_levels([signal[None]], RATE) for signal in (stem, stem + accompaniment)]
    return find_vocals(*levels, duration_s=len(stem) / RATE)


def test_a_verse_far_below_the_chorus_is_sung_too() -> None:
    """A gate set by the loudest line alone leaves the verses out, and mixes run into them."""
    verse, chorus = _noise(6, -28, 0), _noise(6, -15, 1)
    rest = _noise(3, -80, 2)
    found = _find(np.concatenate([rest, verse, rest, chorus, rest]), _noise(21, -16, 3))
    np.testing.assert_allclose(found.intervals_s, [(3, 9), (12, 18)], atol=2 * HOP_S)
    assert found.ratio == pytest.approx(12 / 21, abs=0.01)


def test_what_leaks_between_the_lines_is_no_singing() -> None:
    """Drums that a separator leaves in the vocal stem would join all lines into one."""
    leak = _noise(20, -45, 0)
    leak[:: RATE // 2] = 0.1  # ticks of a drum, far shorter than a word
    stem = leak.copy()
    for start_s in (2, 9):
        stem[start_s * RATE : (start_s + 4) * RATE] += _noise(4, -18, start_s)
    found = _find(stem, _noise(20, -14, 1))
    np.testing.assert_allclose(found.intervals_s, [(2, 6), (9, 13)], atol=2 * HOP_S)
    assert found.ratio == pytest.approx(8 / 20, abs=0.01)


def test_breath_before_a_line_is_no_line_of_its_own() -> None:
    """A singer breathes before the line: a mix planned round breaths has no room left."""
    rest = _noise(1.5, -90, 0)
    line = np.concatenate([_noise(0.25, -36, 1), _noise(0.5, -90, 2), _noise(3, -18, 3), rest])
    found = _find(np.tile(line, 4), _noise(4 * len(line) / RATE, -16, 4))
    starts = [0.75 + index * len(line) / RATE for index in range(4)]
    np.testing.assert_allclose([start for start, _ in found.intervals_s], starts, atol=2 * HOP_S)
    assert found.ratio == pytest.approx(3 * RATE / len(line), abs=0.02)
