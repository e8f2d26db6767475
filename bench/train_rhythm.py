"""Train the weights of tempo level, beat phase, downbeat and confidence: core/analysis/weights.

    python -m bench.train_rhythm [--songs 300] [--dressed 900]

The data are `bench.made_songs` alone, without recordings, so that recordings can validate the
weights. Each choice is a softmax over linear scores with an L2 penalty; level starts from the
product of autocorrelation, Fourier magnitude and a power of the pulse's coherence. It is trained at
three speeds, so that it does not learn the tempo distribution of the made songs. Phase and downbeat
are learned from plain songs, where both are unambiguous. The same songs and scipy give the same
weights.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.made_songs import RATE_HZ, MadeSong, make_song
from core.analysis.rhythm import downbeats, grid, level, phase
from core.analysis.rhythm.onset import LATENCY_S, OnsetBands, onset_bands
from core.analysis.rhythm.periodicity import measure_periodicity
from core.analysis.rhythm.ranker import load_ranker
from core.analysis.rhythm.stretches import rate_steadiness
from core.analysis.rhythm.tempo import confidence_features
from core.analysis.spectra import Spectra, measure_spectra
from core.analysis.version import TEMPO_RANGE_BPM

WEIGHTS = Path(level.__file__).parents[1] / "weights" / "rhythm.npz"
L2 = 0.1
SPEEDS = (0.85, 1.0, 1.15)
PULSE_POWER = 8.0
"""Power of the pulse's coherence. Made songs are steadier than any band, so it is not fitted on
them but chosen by `bench.tempo_validation`."""

_PARTS = ("mean", "scale", "weights")
_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """Candidates: features ``(n, n_features)``, index of the right one, and log-priors."""

    features: _Array
    right: int
    prior: _Array | float = 0.0


def main() -> None:
    """Make the songs, fit, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=300, help="plain songs")
    parser.add_argument("--dressed", type=int, default=900, help="dressed songs")
    options = parser.parse_args()
    choices: dict[str, list[Choice]] = {"level": [], "phase": [], "downbeat": []}
    heard = []
    for number in range(options.songs + options.dressed):
        is_dressed = number >= options.songs
        song = make_song(number, is_dressed=is_dressed)
        spectra = measure_spectra([song.mono])
        onsets = onset_bands(spectra)
        choices["level"] += list_levels(song, onsets)
        if not is_dressed:
            _add_phase(choices["phase"], song, onsets)
            _add_downbeat(choices["downbeat"], song, spectra, onsets)
        heard.append((onsets, song.tempo_bpm))
    arrays: dict[str, _Array] = {}
    for name, sets in choices.items():
        zeros = np.zeros(sets[0].features.shape[1])
        start = start_level(PULSE_POWER) if name == "level" else zeros
        fitted = fit_choice(sets, start)
        arrays |= {f"{name}_{part}": a for part, a in zip(_PARTS, fitted, strict=True)}
    _save(arrays | {f"confidence_{p}": np.ones(4) for p in _PARTS})
    # The confidence depends on the levels that the other weights choose.
    fitted = _fit_confidence(heard, len(heard) // 3)
    _save(arrays | {f"confidence_{p}": a for p, a in zip(_PARTS, fitted, strict=True)})


def fit_choice(choices: Sequence[Choice], start: _Array) -> tuple[_Array, _Array, _Array]:
    """Fit weights near a start; return the features' mean and scale, and the weights."""
    rows = np.concatenate([choice.features for choice in choices])
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    sets = [((c.features - mean) / scale, c.right, c.prior) for c in choices]

    def loss(weights: _Array) -> tuple[float, _Array]:
        total, slope = 0.0, np.zeros_like(weights)
        for features, right, prior in sets:
            scores = features @ weights + prior
            raised = np.exp(scores - scores.max())
            chances = raised / raised.sum()
            total -= float(np.log(chances[right] + 1e-12))
            slope += features.T @ chances - features[right]
        away = weights - start * scale
        return total / len(sets) + L2 * float(away @ away), slope / len(sets) + 2 * L2 * away

    found = minimize(loss, start * scale, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return mean, scale, found.x


def start_level(pulse_power: float) -> _Array:
    """Return the initial weights of the level, ``(level.N_FEATURES,)``."""
    start = np.zeros(level.N_FEATURES)
    start[-2:] = pulse_power, 1.0
    return start


def list_levels(song: MadeSong, onsets: OnsetBands) -> list[Choice]:
    """Return the choices of a song's level at each speed; [] if its tempo is not a candidate."""
    periodicity = measure_periodicity(onsets)
    tempi = level.find_candidates(periodicity)
    if not len(tempi):
        return []
    right = int(np.abs(np.log(tempi / song.tempo_bpm)).argmin())
    if abs(tempi[right] / song.tempo_bpm - 1) >= 0.04:
        return []
    features = level.level_features(periodicity, tempi)
    return [Choice(features, right, level.log_prior(tempi * s)) for s in SPEEDS]


def _add_phase(choices: list[Choice], song: MadeSong, onsets: OnsetBands) -> None:
    beat_s = 60 / song.tempo_bpm
    times_s = np.arange(onsets.strength.shape[1]) / onsets.frame_rate_hz
    folded = phase.fold_beats(onsets, times_s / beat_s)
    bins = phase.find_phases(folded)
    place = (song.first_downbeat_s - LATENCY_S) / beat_s
    away = np.abs(((bins + 0.5) / phase.N_BINS - place + 0.5) % 1 - 0.5) * beat_s
    if away.min() < 0.04:
        choices.append(Choice(phase.phase_features(folded, bins), int(away.argmin())))


def _add_downbeat(
    choices: list[Choice], song: MadeSong, spectra: Spectra, onsets: OnsetBands
) -> None:
    if song.beats_per_bar != 4:
        return
    beat_s = 60 / song.tempo_bpm
    beats_s = np.arange(song.first_downbeat_s % beat_s, spectra.duration_s, beat_s)
    first = round((song.first_downbeat_s - beats_s[0]) / beat_s) % 4
    evidence = downbeats.beat_evidence(spectra, onsets, beats_s)
    choices.append(Choice(downbeats.bar_features(evidence, 4), first))


def _fit_confidence(
    songs: Sequence[tuple[OnsetBands, float]], n_others: int
) -> tuple[_Array, _Array, _Array]:
    """Fit the probability of a right tempo on songs and on audio without a tempo."""
    others = [
        (onset_bands(measure_spectra([_make_untimed(seed)])), 0.0) for seed in range(n_others)
    ]
    rows, rights = [], []
    for onsets, tempo_bpm in [*songs, *others]:
        levels = level.rank_levels(measure_periodicity(onsets), TEMPO_RANGE_BPM)
        if not len(levels.tempi_bpm):
            continue
        envelope, rate = grid.beat_envelope(onsets), onsets.frame_rate_hz
        found_bpm = grid.refine_tempo(envelope, rate, float(levels.tempi_bpm[0]))
        steadiness = rate_steadiness(envelope, rate, found_bpm)
        rows.append(confidence_features(levels, steadiness)[0])
        rights.append(abs(found_bpm - tempo_bpm) < 0.04 * tempo_bpm)
    features, right = np.array(rows), np.array(rights, dtype=np.float64)

    def loss(weights: _Array) -> tuple[float, _Array]:
        chances = 1 / (1 + np.exp(-features @ weights))
        surprise = right * np.log(chances + 1e-9) + (1 - right) * np.log(1 - chances + 1e-9)
        slope = features.T @ (chances - right) / len(right)
        penalty = 1e-3
        return float(-surprise.mean() + penalty * weights @ weights), slope + 2 * penalty * weights

    size = features.shape[1]
    found = minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B")
    return np.zeros(size), np.ones(size), found.x


def _make_untimed(seed: int) -> NDArray[np.float32]:
    """Make 12 to 30 s without a tempo: noise, random strokes, notes in free time."""
    rng = np.random.default_rng(10_000 + seed)
    n_samples = int(rng.uniform(12, 30) * RATE_HZ)
    if seed % 3 == 0:
        noise: NDArray[np.float32] = (0.1 * rng.normal(size=n_samples)).astype(np.float32)
        return noise
    mono = np.zeros(n_samples)
    steps_s = rng.exponential(0.3, 200) if seed % 3 == 1 else _free_steps(rng)
    for time_s in np.cumsum(steps_s):
        start = int(time_s * RATE_HZ)
        if start >= n_samples:
            break
        times = np.arange(min(n_samples - start, RATE_HZ)) / RATE_HZ
        hz = 220 * 2 ** (rng.integers(0, 24) / 12)
        stroke = np.sin(2 * np.pi * hz * times) * np.exp(-rng.uniform(3, 20) * times)
        mono[start : start + len(times)] += rng.uniform(0.2, 1) * stroke
    untimed: NDArray[np.float32] = (0.3 * mono / np.abs(mono).max()).astype(np.float32)
    return untimed


def _free_steps(rng: np.random.Generator) -> _Array:
    """Return the steps of rubato playing: the tempo of the pulse drifts by tens of percent."""
    wander = np.cumsum(rng.normal(scale=0.12, size=200))
    wander -= np.convolve(wander, np.ones(20) / 20, "same")
    steps: _Array = 0.4 * np.exp(wander) * rng.choice([0.5, 1.0, 1.0, 2.0], size=200)
    return steps


def _save(arrays: dict[str, _Array]) -> None:
    WEIGHTS.parent.mkdir(exist_ok=True)
    small = {name: array.astype(np.float32) for name, array in arrays.items()}
    np.savez_compressed(WEIGHTS, allow_pickle=False, **small)
    load_ranker.cache_clear()


if __name__ == "__main__":
    main()
