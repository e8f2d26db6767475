"""Loudness against the signals of EBU Tech 3341 and 3342, and against FFmpeg's own meter."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench.loudness import measure_with_ffmpeg
from core.audio.metering.loudness import LoudnessMeter, measure_loudness

RATE = 48_000


def tone(*parts: tuple[float, float], rate: int = RATE, hz: float = 1000.0) -> np.ndarray:
    """Stereo sine: (level in dBFS, seconds) one after the other."""
    levels = np.concatenate([np.full(round(s * rate), 10 ** (db / 20)) for db, s in parts])
    sine = np.sin(2 * np.pi * hz * np.arange(len(levels)) / rate)
    return np.tile((levels * sine).astype(np.float32), (2, 1))


@pytest.mark.slow
# EBU Tech 3341, table 1, cases 1 to 5
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
)
def test_integrated_loudness_of_ebu_3341(parts: list[Any], expected: float) -> None:
    measured = measure_loudness([tone(*parts)], RATE, 2)
    assert measured.integrated_lufs == pytest.approx(expected, abs=0.1)


@pytest.mark.slow
# EBU Tech 3342, cases 1 to 4
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-20, 20), (-30, 20)], 10.0),
        ([(-20, 20), (-15, 20)], 5.0),
        ([(-40, 20), (-20, 20)], 20.0),
        ([(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15.0),
    ],
)
def test_loudness_range_of_ebu_3342(parts: list[tuple[int, int]], expected: float) -> None:
    measured = measure_loudness([tone(*parts)], RATE, 2)
    assert measured.loudness_range_lu == pytest.approx(expected, abs=1.0)


def test_loudness_over_time_follows_the_recording() -> None:
    """At a second in the middle of each part, and where the 3 s hold both."""
    meter = LoudnessMeter(RATE, 2)
    meter.add(tone((-20, 10), (-40, 10), (-90, 10)))
    curve = meter.short_term_lufs(100)
    assert (curve.hop_s, len(curve.lufs)) == (1, 30)
    assert curve.lufs[5] == pytest.approx(-20, abs=0.1)
    assert curve.lufs[15] == pytest.approx(-40, abs=0.1)
    assert curve.lufs[25] is None
    assert curve.lufs[10] == pytest.approx(-23, abs=0.1)


def test_loudness_over_time_is_bounded_and_needs_three_seconds() -> None:
    meter = LoudnessMeter(RATE, 2)
    meter.add(tone((-20, 2.9)))
    assert meter.short_term_lufs(10).lufs == ()
    meter.add(tone((-20, 22.1)))
    curve = meter.short_term_lufs(10)
    assert (curve.hop_s, len(curve.lufs)) == (3, 9)


# EBU Tech 3341, cases 9 to 14: maxima of short-term and momentary loudness
def test_short_term_maximum_of_ebu_3341() -> None:
    """A window that is too long, or a hop too wide, misses the loud part."""
    measured = measure_loudness([tone(*[(-20, 1.34), (-30, 1.66)] * 5)], RATE, 2)
    assert measured.short_term_max_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("delay_s", [0.0, 0.15, 1.35, 2.85])
def test_short_term_maximum_finds_three_seconds_anywhere(delay_s: float) -> None:
    """A tone of just one window's length may start within a hop."""
    measured = measure_loudness([tone((-100, delay_s), (-23, 3.1), (-100, 1))], RATE, 2)
    assert measured.short_term_max_lufs == pytest.approx(-23.0, abs=0.1)


def test_momentary_maximum_of_ebu_3341() -> None:
    """The momentary window is 400 ms, not the short-term one."""
    measured = measure_loudness([tone(*[(-20, 0.18), (-30, 0.22)] * 25)], RATE, 2)
    assert measured.momentary_max_lufs == pytest.approx(-23.0, abs=0.1)
    short = measure_loudness([tone((-100, 1), (-23, 0.5), (-100, 3))], RATE, 2)
    assert short.momentary_max_lufs == pytest.approx(-23.0, abs=0.1)
    assert short.short_term_max_lufs < -29


def test_loudness_over_time_follows_the_signal() -> None:
    """Energy over time reads this: value i belongs to the 400 ms from i * 100 ms on."""
    meter = LoudnessMeter(RATE, 2)
    meter.add(tone((-20, 5), (-40, 5)))
    levels = meter.momentary_lufs()
    assert len(levels) == 97
    assert levels[2:47] == pytest.approx(np.full(45, -20.0), abs=0.1)
    assert levels[51:] == pytest.approx(np.full(46, -40.0), abs=0.2)


def test_replaygain_is_the_way_to_its_reference() -> None:
    """ReplayGain 2 aims at -18 LUFS and notes the peak on a linear scale."""
    measured = measure_loudness([tone((-23, 5))], RATE, 2)
    assert measured.replaygain_db == pytest.approx(5.0, abs=0.1)
    assert measured.replaygain_peak == pytest.approx(10 ** (-23 / 20), rel=0.01)
    nothing = measure_loudness([], RATE, 2)
    assert nothing.replaygain_db is None
    assert nothing.replaygain_peak is None


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 88_200, 96_000, 192_000])
def test_every_rate_reads_the_same(rate: int) -> None:
    """A K-weighting made for 48 kHz alone is wrong by up to 1 LU elsewhere."""
    measured = measure_loudness([tone((-23, 3), rate=rate)], rate, 2)
    assert measured.integrated_lufs == pytest.approx(-23, abs=0.1)


def test_mono_weighs_one_channel() -> None:
    measured = measure_loudness([tone((-23, 3))[:1]], RATE, 1)
    assert measured.integrated_lufs == pytest.approx(-26.01, abs=0.1)


# EBU Tech 3341, cases 15 to 18: fs/4 at phases 0, 45, 60 and 67.5 degrees
@pytest.mark.parametrize("phase_deg", [0.0, 45.0, 60.0, 67.5])
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_true_peak_is_found_between_the_samples(phase_deg: float, rate: int) -> None:
    divisor = 4 if rate < 96_000 else 8
    position = np.arange(rate // 2)
    fade = np.clip(np.minimum(position, position[::-1]) / 500, 0, 1)
    sine = np.sin(2 * np.pi * position / divisor + np.deg2rad(phase_deg)) * fade / 2
    measured = measure_loudness([sine.astype(np.float32)[None]], rate, 1)
    assert measured.true_peak_dbtp == pytest.approx(-6.02, abs=0.2)
    if (phase_deg, divisor) == (45.0, 4):
        assert measured.sample_peak_dbfs == pytest.approx(-9.03, abs=0.01)


def test_true_peak_is_never_below_the_sample_peak() -> None:
    click = np.zeros((2, 1), dtype=np.float32)
    click[0] = -0.5
    measured = measure_loudness([click], RATE, 2)
    assert measured.sample_peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert measured.true_peak_dbtp >= measured.sample_peak_dbfs


def test_the_size_of_the_blocks_changes_nothing(noise: Callable[..., np.ndarray]) -> None:
    samples = noise(44_100 * 5)
    whole = measure_loudness([samples], 44_100, 2)
    for size in (1009, 44_100):
        pieces = [samples[:, i : i + size] for i in range(0, samples.shape[1], size)]
        parts = measure_loudness([*pieces, samples[:, :0]], 44_100, 2)
        assert parts.integrated_lufs == pytest.approx(whole.integrated_lufs, abs=1e-6)
        assert parts.loudness_range_lu == pytest.approx(whole.loudness_range_lu, abs=1e-6)
        assert parts.true_peak_dbtp == pytest.approx(whole.true_peak_dbtp, abs=1e-5)
        assert parts.sample_peak_dbfs == whole.sample_peak_dbfs


def test_a_reading_on_the_way_disturbs_nothing(noise: Callable[..., np.ndarray]) -> None:
    samples = noise(44_100)
    meter = LoudnessMeter(44_100, 2)
    meter.add(samples[:, :20_000])
    meter.true_peak_dbtp()
    meter.add(samples[:, 20_000:])
    whole = measure_loudness([samples], 44_100, 2)
    assert meter.true_peak_dbtp() == pytest.approx(whole.true_peak_dbtp, abs=1e-5)


def test_silence_and_short_sounds_have_no_loudness() -> None:
    silence = measure_loudness([np.zeros((2, RATE * 4), dtype=np.float32)], RATE, 2)
    assert silence.integrated_lufs is None
    assert silence.loudness_range_lu is None
    assert silence.momentary_max_lufs is None
    assert silence.short_term_max_lufs is None
    assert silence.true_peak_dbtp is None
    assert silence.sample_peak_dbfs is None
    short = measure_loudness([tone((-20, 0.39))], RATE, 2)
    assert short.integrated_lufs is None
    assert short.true_peak_dbtp == pytest.approx(-20, abs=0.5)
    assert measure_loudness([tone((-20, 0.4))], RATE, 2).integrated_lufs is not None
    assert measure_loudness([], RATE, 2).sample_peak_dbfs is None


def test_ffmpegs_meter_agrees() -> None:
    """Music-like: noise with a beat, two levels, unequal channels, and a part of a step more."""
    n_samples = RATE * 12 + 1234
    time = np.arange(n_samples) / RATE
    noise = np.random.default_rng(0).standard_normal((2, n_samples))
    beat = 0.05 + np.exp(-8 * (time % 0.5))
    levels = np.where(time < 6, 0.2, 0.05)
    samples = (noise * beat * levels * np.array([[1.0], [0.6]])).astype(np.float32)
    expected = measure_with_ffmpeg(np.array_split(samples, 12, axis=1), RATE, 2)
    measured = measure_loudness([samples], RATE, 2)
    assert measured.integrated_lufs == pytest.approx(expected.integrated_lufs, abs=0.1)
    assert measured.loudness_range_lu == pytest.approx(expected.loudness_range_lu, abs=0.3)
    assert measured.true_peak_dbtp == pytest.approx(expected.true_peak_dbtp, abs=0.2)
    assert measured.momentary_max_lufs == pytest.approx(expected.momentary_max_lufs, abs=0.1)
    assert measured.short_term_max_lufs == pytest.approx(expected.short_term_max_lufs, abs=0.1)


@pytest.mark.parametrize(("rate", "n_channels"), [(7999, 2), (192_001, 2), (RATE, 3), (RATE, 0)])
def test_what_is_not_measured_is_refused(rate: Any, n_channels: int) -> None:
    with pytest.raises(ValueError, match=r"Hz|n_channels"):
        LoudnessMeter(rate, n_channels)
