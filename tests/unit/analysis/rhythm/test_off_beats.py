"""Off-beats that are louder, brighter and more numerous than beats do not move the grid."""

import numpy as np
import pytest

from bench.made_families import FAMILIES
from bench.made_grooves import make_groove
from bench.rhythm_scores import is_half_beat_off
from core.analysis.rhythm.tempo import estimate_tempo
from core.analysis.spectra import ANALYSIS_RATE_HZ as RATE
from core.analysis.spectra import measure_spectra


def count_off(name: str, n_songs: int) -> tuple[int, int]:
    """Count the songs of a family at the right tempo, and those of them half a beat off."""
    families = [family for family in FAMILIES if family.name == name]
    off = []
    for seed in range(700_000, 700_000 + n_songs):
        song = make_groove(seed, families=families)
        found = estimate_tempo(measure_spectra([song.mono]))
        if abs(found.tempo_bpm / song.tempo_bpm - 1) < 0.01:
            beat_s = 60 / song.tempo_bpm
            off.append(is_half_beat_off(beat_s, song.first_downbeat_s, found.beats_s))
    return len(off), sum(off)


@pytest.mark.parametrize("name", ["house", "trance"])
def test_open_hats_and_bass_between_the_beats_leave_the_grid_on_the_kick(name: str) -> None:
    """In house and trance every second grid was half a beat off, at confidences above .8."""
    n_right, n_off = count_off(name, 4)
    assert n_right >= 3
    assert n_off == 0


@pytest.mark.slow
def test_families_with_loud_off_beats_are_seldom_half_a_beat_off() -> None:
    """Two in five were: rolling bass, claps, stabs and shuffled hats, with and without a kick."""
    names = ("techno", "disco", "happy_hardcore", "ska", "garage")
    counts = [count_off(name, 4) for name in names]
    assert sum(n_right for n_right, _ in counts) >= 17
    assert sum(n_off for _, n_off in counts) <= 1


@pytest.mark.parametrize("tempo_bpm", [124, 138])
def test_a_break_without_a_kick_keeps_the_grid_of_the_drop(tempo_bpm: int) -> None:
    """Eight bars in which only hats and bass between the beats play have no beat of their own."""
    beat_s, rng = 60 / tempo_bpm, np.random.default_rng(0)
    times = np.arange(round(48 * 4 * beat_s * RATE)) / RATE
    beat, bar = times / beat_s, np.floor(times / beat_s / 4)
    since_s = (beat % 1) * beat_s
    off_s = ((beat + 0.5) % 1) * beat_s
    kick = np.sin(2 * np.pi * 50 * since_s + 6 * (1 - np.exp(-40 * since_s))) * np.exp(
        -12 * since_s
    )
    snare = rng.normal(size=len(times)) * np.exp(-25 * since_s) * (np.floor(beat) % 2 == 1)
    hats = np.diff(rng.normal(size=len(times) + 1)) * np.exp(-12 * off_s)
    bass = np.sign(np.sin(2 * np.pi * 55 * off_s)) * np.exp(-4 * off_s)
    plays = (bar % 24 < 8) | (bar % 24 >= 16)
    mono = plays * (0.6 * kick + 0.3 * snare) + 0.5 * hats + 0.6 * bass
    found = estimate_tempo(measure_spectra([(0.3 * mono / np.abs(mono).max()).astype(np.float32)]))
    assert found.tempo_bpm == pytest.approx(tempo_bpm, abs=0.05)
    assert not is_half_beat_off(beat_s, 0.0, found.beats_s)
