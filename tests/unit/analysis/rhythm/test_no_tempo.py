"""What has no tempo, or more than one, gives a defined result and no false sureness."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import chirp, lfilter

from core.analysis.rhythm.tempo import TempoEstimate, estimate_tempo
from core.analysis.spectra import ANALYSIS_RATE_HZ as RATE
from core.analysis.spectra import Spectra, measure_spectra


def play(times_s: Any, duration_s: Any, seed: Any = 0) -> NDArray[Any]:
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


def rubato(seed: int) -> Any:
    """A pulse whose length wanders by tens of per cent, as a pianist's."""
    rng = np.random.default_rng(seed)
    wander = np.cumsum(rng.normal(scale=0.1, size=80))
    wander -= np.convolve(wander, np.ones(12) / 12, "same")
    times_s = np.cumsum(0.45 * np.exp(wander))
    return play(times_s[times_s < 29], 30.0, seed)


def speech(seed: int) -> NDArray[Any]:
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


def vowels(seed: int) -> NDArray[Any]:
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
def test_free_time_is_not_claimed_with_confidence(make: Any, seed: int) -> None:
    """A made-up BPM with high confidence lays a false grid over a piano solo."""
    found = estimate_tempo(measure_spectra([make(seed)]))
    assert found.confidence < 0.5
    assert list(found.beats_s) == sorted(set(found.beats_s))


@pytest.mark.parametrize("seconds", [0.05, 0.5, 1.0, 2.0])
def test_a_moment_of_music_has_a_defined_result(seconds: float) -> None:
    """Windows longer than the recording must not crash, nor two strokes make a sure tempo."""
    times_s = np.arange(0.02, seconds - 0.01, 0.25)
    found = estimate_tempo(measure_spectra([play(times_s, seconds)]))
    assert found.confidence < 0.6
    assert all(0 <= time < seconds for time in found.beats_s)


@pytest.mark.slow
def test_three_hours_keep_their_grid() -> None:
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


def test_noise_and_silence_say_nothing() -> None:
    noise = np.random.default_rng(0).normal(size=20 * RATE).astype(np.float32)
    assert estimate_tempo(measure_spectra([noise])).confidence < 0.25
    assert estimate_tempo(measure_spectra([])) == TempoEstimate()


STEADY_TONES_HZ = {
    **{f"{hz} Hz": (hz,) for hz in (20, 27.7, 30, 33.1, 35, 50, 440, 10500)},
    "chord": (49.1, 68.3, 211, 806, 1540, 3977),
    "deep beats": (30, 32),
    "beats of 1 Hz": (440, 441),
    "beats of 2 Hz": (100, 102),
    "beats of 3 Hz": (200, 203),
    "beats of 4 Hz": (440, 444),
    "hum of 50 Hz": tuple(50 * partial for partial in range(1, 12)),
    "buzz of 28.3 Hz": tuple(28.3 * partial for partial in range(1, 90)),
    "buzz of 33.3 Hz": tuple(33.3 * partial for partial in range(1, 90)),
    "buzz of 57.7 Hz": tuple(57.7 * partial for partial in range(1, 90)),
}


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.001, 0.5])
@pytest.mark.parametrize("tones_hz", STEADY_TONES_HZ.values(), ids=STEADY_TONES_HZ)
def test_what_strikes_nothing_has_no_tempo(tones_hz: Any, level: float) -> None:
    """Deep tones ripple with the frames they are measured in: 116 BPM, said with confidence."""
    times_s = np.arange(20 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * hz * times_s) for hz in tones_hz)
    mono = (level * tones / np.abs(tones).max()).astype(np.float32)
    assert estimate_tempo(measure_spectra([mono])).confidence < 0.1


@pytest.mark.parametrize("span_hz", [(20, 10000), (60, 30), (440, 466)])
@pytest.mark.parametrize("method", ["linear", "logarithmic"])
def test_a_sweep_has_no_tempo(span_hz: tuple[int, int], method: str) -> None:
    """Each band that a sweep enters rises: that is no beat, however regular."""
    swept = 0.5 * chirp(np.arange(20 * RATE) / RATE, span_hz[0], 20, span_hz[1], method=method)
    assert estimate_tempo(measure_spectra([swept.astype(np.float32)])).confidence < 0.1


@pytest.mark.parametrize("n_clicks", [1, 2, 5])
@pytest.mark.parametrize("apart_s", [0.25, 0.5, 2.0])
def test_a_few_clicks_make_no_sure_tempo(n_clicks: int, apart_s: float) -> None:
    """A grid over twenty seconds that two clicks lie on has forty beats, and two reasons."""
    mono = np.zeros(20 * RATE, dtype=np.float32)
    mono[np.rint((3 + apart_s * np.arange(n_clicks)) * RATE).astype(int)] = 0.8
    assert estimate_tempo(measure_spectra([mono])).confidence < 0.3


@pytest.mark.parametrize("per_s", [1, 3, 8, 50, 200])
@pytest.mark.parametrize("length_s", [0.003, 0.03])
def test_random_strokes_have_no_tempo(per_s: int, length_s: float) -> None:
    """Rain, crackle, applause: some span always fits best, and says nothing."""
    rng = np.random.default_rng(per_s)
    ring = np.arange(round(5 * length_s * RATE)) / RATE
    mono = 1e-3 * rng.normal(size=30 * RATE)
    for start in rng.integers(0, len(mono) - len(ring), 30 * per_s):
        stroke = rng.normal(size=len(ring)) * np.exp(-ring / length_s)
        mono[start : start + len(ring)] += rng.uniform(0.2, 1) * stroke
    assert estimate_tempo(measure_spectra([mono.astype(np.float32)])).confidence < 0.3


@pytest.mark.parametrize("slope", [0.0, -0.5, -1.0], ids=["white", "pink", "brown"])
@pytest.mark.parametrize("level_db", [-90, -40, 0])
def test_noise_of_every_colour_and_level_has_no_tempo(slope: float, level_db: int) -> None:
    """What a threshold in absolute level lets through, a louder copy of it doesn't."""
    for seconds in (5, 30):
        rng = np.random.default_rng(seconds)
        spectrum = np.fft.rfft(rng.normal(size=seconds * RATE))
        spectrum[1:] *= np.arange(1.0, len(spectrum)) ** slope
        noise = np.fft.irfft(spectrum)
        noise *= 10 ** (level_db / 20) / np.abs(noise).max()
        assert estimate_tempo(measure_spectra([noise.astype(np.float32)])).confidence < 0.3


def test_a_beat_is_struck_where_notes_begin_slowly_too() -> None:
    """A threshold that only drums pass takes the tempo of strings and pads away."""
    times_s = np.arange(30 * RATE) / RATE
    since_s = times_s % 0.5
    swell = np.minimum(1, since_s / 0.06) * np.exp(-2 * since_s)
    pitches_hz = 220 * 2 ** (np.array([0, 3, 7, 5])[(times_s / 0.5).astype(int) % 4] / 12)
    notes = sum(np.sin(2 * np.pi * k * np.cumsum(pitches_hz) / RATE) / k for k in range(1, 7))
    found = estimate_tempo(measure_spectra([(0.2 * swell * notes).astype(np.float32)]))
    assert found.tempo_bpm == pytest.approx(120, abs=0.1)
    assert found.confidence > 0.5
