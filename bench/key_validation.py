"""Choose the settings of the key estimator by cross-validation over the groups of a set.

    python -m bench.key_validation --set FOLDER [--made N] [--json]

``FOLDER/set.csv`` is as for `bench.analysis`. Every setting of `SETTINGS` is scored on every
recording with a known key. For each group in turn, a setting is chosen on the others and scored
on the one that was left out: these scores hold for music outside the tuning set. The choice prefers
plateaus to peaks: a setting is ranked by the mean of its scores and its neighbours'. ``--made N``
also scores N songs of `bench.made_harmony`, on which nothing is chosen.
"""

import argparse
import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.made_harmony import make_harmony
from bench.music_scores import is_compatible, score_key
from bench.report import report
from core.analysis.harmony.chroma import Chroma, measure_chroma
from core.analysis.harmony.key import estimate_key
from core.analysis.harmony.key_windows import RULE, KeyRule
from core.analysis.signal import to_mono
from core.analysis.spectra import Spectra, measure_spectra
from core.audio.buffer import Samples
from core.audio.reading.decode import read_through

GATES = (0.0, 0.1, 0.2, 0.3)
DOUBTS = (3.0, 5.0, 8.0)
# Thresholds of steady harmony: always, three steps, never.
STEADY = ((-1.0, -0.9), (0.97, 0.99), (0.98, 0.995), (0.985, 0.998), (1.1, 1.2))
MINOR_LEADS = (0.0, 0.04, 0.08)
SETTINGS = tuple(
    KeyRule(gate=gate, doubt=doubt, moving=moving, steady=steady, minor_lead=lead)
    for gate, doubt, (moving, steady), lead in product(GATES, DOUBTS, STEADY, MINOR_LEADS)
)

_Scores = NDArray[np.float64]  # (..., 3): exact, weighted, compatible


@dataclass(frozen=True, slots=True)
class Heard:
    """Chroma, key and group of a recording."""

    chroma: Chroma
    key: str
    group: str


def main() -> None:
    """Validate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, required=True, help="folder with set.csv")
    parser.add_argument("--made", type=int, default=0, help="songs made by rule to score, too")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    recordings = list(_hear_set(options.set))
    scores = np.array([score_rule(rule, recordings) for rule in SETTINGS])
    figures: dict[str, float | str] = {"settings": float(len(SETTINGS))}
    figures |= cross_validate(scores, [heard.group for heard in recordings])
    figures |= _name("default", score_rule(RULE, recordings).mean(axis=0))
    if options.made:
        made = list(_hear_made(options.made))
        always, never = (
            KeyRule(moving=moving, steady=steady) for moving, steady in (STEADY[0], STEADY[-1])
        )
        for name, rule in (("", RULE), ("_as_electronic", always), ("_as_tonal", never)):
            figures |= _name(f"made{name}", score_rule(rule, made).mean(axis=0))
    report(f"Key of {len(recordings)} recordings", figures)


def score_rule(rule: KeyRule, recordings: Sequence[Heard]) -> _Scores:
    """Score a rule on every recording: ``(n_recordings, 3)``, exact, weighted, compatible."""
    scores = np.zeros((len(recordings), 3))
    for row, heard in zip(scores, recordings, strict=True):
        if (found := estimate_key(heard.chroma, rule=rule).key) is not None:
            weighted = score_key(heard.key, found)
            row[:] = weighted == 1, weighted, is_compatible(heard.key, found)
    return scores


def cross_validate(scores: _Scores, groups: Sequence[str]) -> Mapping[str, float | str]:
    """Choose on all groups but one, score that one; return choices and mean scores.

    Parameters
    ----------
    scores : of every one of `SETTINGS` on every recording, ``(n_settings, n_recordings, 3)``.
    groups : of the recordings, at least two different ones.
    """
    figures: dict[str, float | str] = {}
    unseen = np.zeros(scores.shape[1:])
    names = np.array(groups)
    for group in sorted(set(groups)):
        is_out = names == group
        index = choose(scores[:, ~is_out].mean(axis=1))
        unseen[is_out] = scores[index][is_out]
        figures[f"chosen_without_{group}"] = _describe(SETTINGS[index])
        figures |= _name(group, scores[index][is_out].mean(axis=0))
    figures["chosen_on_all"] = _describe(SETTINGS[choose(scores.mean(axis=1))])
    return {**figures, **_name("cross_validated", unseen.mean(axis=0))}


def choose(means: _Scores) -> int:
    """Choose the setting whose neighbourhood scores best; ``means`` is ``(n_settings, 3)``."""
    grid = (means[:, 0] + means[:, 1]).reshape(
        len(GATES), len(DOUBTS), len(STEADY), len(MINOR_LEADS)
    )
    total, count = grid.copy(), np.ones_like(grid)
    for axis in range(grid.ndim):
        lower = [slice(None)] * grid.ndim
        upper = list(lower)
        lower[axis], upper[axis] = slice(None, -1), slice(1, None)
        for to, of in ((lower, upper), (upper, lower)):
            total[tuple(to)] += grid[tuple(of)]
            count[tuple(to)] += 1
    return int(np.argmax(np.round(total / count, 9)))


def _hear_set(folder: Path) -> Iterator[Heard]:
    with (folder / "set.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["true_key"]]
    for row in rows:
        _, spectra = read_through(folder / row["file"], _measure)
        yield Heard(measure_chroma(spectra), row["true_key"], row["group"])


def _measure(sample_rate: int, n_channels: int, blocks: Iterator[Samples]) -> Spectra:
    return measure_spectra(map(to_mono, blocks), sample_rate)


def _hear_made(n_songs: int) -> Iterator[Heard]:
    for seed in range(n_songs):
        song = make_harmony(seed)
        yield Heard(measure_chroma(measure_spectra([song.mono])), song.key, song.kind)


def _name(prefix: str, scores: _Scores) -> dict[str, float | str]:
    names = ("exact", "weighted", "compatible")
    return {f"{prefix}_{name}": float(score) for name, score in zip(names, scores, strict=True)}


def _describe(rule: KeyRule) -> str:
    return (
        f"gate {rule.gate}, doubt {rule.doubt}, steady {rule.moving} to {rule.steady}, "
        f"minor {rule.minor_lead}"
    )


if __name__ == "__main__":
    main()
