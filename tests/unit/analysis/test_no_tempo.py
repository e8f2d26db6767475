"""What has no tempo, or more than one, gives a defined result and no false sureness."""

import numpy as np
import pytest
from scipy.signal import lfilter

from core.analysis.spectra import ANALYSIS_RATE_HZ as RATE
from core.analysis.spectra import Spectra, measure_spectra
from core.analysis.tempo import TempoEstimate, estimate_tempo


def play(times_s, duration_s, seed=0):
    """Strike notes at the times, at different strengths."""
    rng = np.random.default_rng(seed)
    mono = np.zeros(int(duration_s * RATE))
    for time_s in times_s:
        start = int(time_s * RATE)
        ring = np.arange(min(len(mono) - start, RATE)) / RATE
        hz = 220 * 2 ** (rng.integers(0, 24) / 12)
        mono[start : start + len(ring)] += (
            rng.uniform(0.3, 1) * np.sin(2 * np.pi * hz * ring) * np.exp(-6 * ring)
        )
    return mono.astype(np.float32)


def rubato(seed):
    """A pulse whose length wanders by tens of per cent, as a pianist's."""
    rng = np.random.default_rng(seed)
    wander = np.cumsum(rng.normal(scale=0.1, size=80))
    wander -= np.convolve(wander, np.ones(12) / 12, "same")
    times_s = np.cumsum(0.45 * np.exp(wander))
    return play(times_s[times_s < 29], 30.0, seed)


def speech(seed):
    """Syllables: bursts of voiced noise, three to six a second, with pauses."""
    rng = np.random.default_rng(seed)
    times_s = np.cumsum(rng.uniform(0.12, 0.4, 90) + 0.5 * (rng.random(90) < 0.15))
    mono = rng.normal(scale=1e-3, size=20 * RATE)
    for time_s in times_s[times_s < 19.5]:
        start = int(time_s * RATE)
        length = int(rng.uniform(0.08, 0.25) * RATE)
        part = np.sin(2 * np.pi * rng.uniform(90, 180) * np.arange(length) / RATE) ** 5
        mono[start : start + length] += (part + 0.1 * rng.normal(size=length)) * np.hanning(length)
    return mono.astype(np.float32)


def vowels(seed):
    """Vowels: glottal pulses of a wandering pitch through three formants, in uneven syllables."""
    rng = np.random.default_rng(seed)
    n_samples = 25 * RATE
    pitch_hz = 120 * np.exp(0.15 * np.sin(np.arange(n_samples) / RATE * rng.uniform(1.5, 4)))
    pulses = np.diff(np.floor(np.cumsum(pitch_hz) / RATE), prepend=0)
    spoken = rng.normal(scale=1e-4, size=n_samples)
    start_s = 0.3
    while start_s < 24:
        length_s = rng.uniform(0.07, 0.4)
        part = slice(int(start_s * RATE), int((start_s + length_s) * RATE))
        voice = pulses[part]
        for formant_hz in rng.uniform([300, 900, 2200], [800, 2000, 3000]):
            pole = 0.985 * np.exp(2j * np.pi * formant_hz / RATE)
            voice = lfilter([1 - np.abs(pole)], [1, -2 * pole.real, np.abs(pole) ** 2], voice)
        spoken[part] += voice / np.abs(voice).max() * np.hanning(len(voice))
        start_s += length_s + rng.choice([0.02, 0.08, 0.5], p=[0.5, 0.35, 0.15])
    return spoken.astype(np.float32)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("make", [rubato, speech, vowels])
def test_free_time_is_not_claimed_with_confidence(make, seed):
    """A made-up BPM with high confidence lays a false grid over a piano solo."""
    found = estimate_tempo(measure_spectra([make(seed)]))
    assert found.confidence < 0.5
    assert list(found.beats_s) == sorted(set(found.beats_s))


@pytest.mark.parametrize("seconds", [0.05, 0.5, 1.0, 2.0])
def test_a_moment_of_music_has_a_defined_result(seconds):
    """Windows longer than the recording must not crash, nor two strokes make a sure tempo."""
    times_s = np.arange(0.02, seconds - 0.01, 0.25)
    found = estimate_tempo(measure_spectra([play(times_s, seconds)]))
    assert found.confidence < 0.6
    assert all(0 <= time < seconds for time in found.beats_s)


def test_three_hours_keep_their_grid():
    """A grid whose period is off by a hair is half a beat off at the end of a mix."""
    hours = 3
    n_frames = int(hours * 3600 * RATE / 256)
    mel = np.zeros((1 + n_frames, 40), dtype=np.float32)
    beats = np.arange(0, n_frames, 60 / 126 * RATE / 256)
    mel[np.rint(beats).astype(int)] = 0.3
    mel[np.minimum(np.rint(beats).astype(int) + 1, n_frames)] = 0.2
    spectra = Spectra(
        n_samples=n_frames * 256,
        peak=1.0,
        mel=mel,
        pitches=np.full((1 + n_frames // 16, 207), 1e-3, dtype=np.float32),
        tuning_cents=0.0,
    )
    found = estimate_tempo(spectra)
    assert found.is_steady
    assert found.tempo_bpm == pytest.approx(126, abs=1e-4)
    assert found.beats_s[-1] == pytest.approx(len(found.beats_s) * 60 / 126, abs=0.55)


def test_noise_and_silence_say_nothing():
    noise = np.random.default_rng(0).normal(size=20 * RATE).astype(np.float32)
    assert estimate_tempo(measure_spectra([noise])).confidence < 0.25
    assert estimate_tempo(measure_spectra([])) == TempoEstimate()
