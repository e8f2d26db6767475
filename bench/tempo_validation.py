"""Choose the weight of a pulse's coherence on recordings by cross-validation.

    python -m bench.tempo_validation --set FOLDER [--songs 300] [--dressed 900] [--json]

``FOLDER/set.csv`` as for `bench.analysis`, each recording with its ``group``. For every power the
level is trained on made songs as in `bench.train_rhythm`. The power that is best on all groups but
one is scored on that one, so that no recording affects its own score.
"""

import argparse
import csv
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.made_songs import make_song
from bench.music_scores import SAME_FAMILY, is_tempo
from bench.report import report
from bench.train_rhythm import Choice, fit_choice, list_levels, start_level
from core.analysis.rhythm import level
from core.analysis.rhythm.onset import onset_bands
from core.analysis.rhythm.periodicity import measure_periodicity
from core.analysis.rhythm.ranker import Ranker
from core.analysis.signal import to_mono
from core.analysis.spectra import Spectra, measure_spectra
from core.analysis.version import TEMPO_RANGE_BPM
from core.audio.buffer import Samples
from core.audio.reading.decode import read_through

POWERS = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0)

Scores = tuple[float, float]
_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recording:
    """Candidate tempi of a recording with their features and prior, and the true tempo."""

    group: str
    tempo_bpm: float
    tempi_bpm: _Array
    features: _Array
    prior: _Array


def main() -> None:
    """Train at each power, score, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, required=True, help="folder with set.csv")
    parser.add_argument("--songs", type=int, default=300, help="plain songs")
    parser.add_argument("--dressed", type=int, default=900, help="dressed songs")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    recordings = _read(options.set)
    choices: list[Choice] = []
    for number in range(options.songs + options.dressed):
        song = make_song(number, is_dressed=number >= options.songs)
        choices += list_levels(song, onset_bands(measure_spectra([song.mono])))
    scores = {power: _score(choices, power, recordings) for power in POWERS}
    figures: dict[str, float | str] = {}
    for power, found in scores.items():
        figures[f"power_{power:g}_acc1"], figures[f"power_{power:g}_acc2"] = _mean(found)
    groups = [one.group for one in recordings]
    checked, chosen = cross_validate(scores, groups)
    figures["validated_acc1"], figures["validated_acc2"] = _mean(checked)
    figures["chosen_powers"] = " ".join(f"{g}:{power:g}" for g, power in sorted(chosen.items()))
    report(f"Level of the tempo of {len(recordings)} recordings, {len(POWERS)} powers", figures)


def cross_validate(
    scores: Mapping[float, Sequence[Scores]], groups: Sequence[str]
) -> tuple[list[Scores], dict[str, float]]:
    """Score each group at the power that is best on the others (the largest of equals).

    Returns the scores of the recordings, and the power chosen for each group.
    """
    chosen = {}
    for group in set(groups):
        others = [index for index, other in enumerate(groups) if other != group]
        chosen[group] = max(
            scores, key=lambda power: (sum(sum(scores[power][i]) for i in others), power)
        )
    return [scores[chosen[group]][index] for index, group in enumerate(groups)], chosen


def _mean(scores: Sequence[Scores]) -> Scores:
    first, second = zip(*scores, strict=True)
    return statistics.fmean(first), statistics.fmean(second)


def _score(
    choices: Sequence[Choice], power: float, recordings: Sequence[Recording]
) -> list[Scores]:
    """Train at a power; return accuracy 1 and 2 of each recording."""
    ranker = Ranker(*fit_choice(choices, start_level(power)))
    scores = []
    for one in recordings:
        best = int((ranker.score(one.features) + one.prior).argmax()) if len(one.prior) else None
        found_bpm = 0.0 if best is None else float(one.tempi_bpm[best])
        scores.append(
            (
                float(is_tempo(one.tempo_bpm, found_bpm)),
                float(is_tempo(one.tempo_bpm, found_bpm, SAME_FAMILY)),
            )
        )
    return scores


def _read(folder: Path) -> list[Recording]:
    with (folder / "set.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["true_bpm"]]
    recordings = []
    for row in rows:
        periodicity = measure_periodicity(onset_bands(_measure(folder / row["file"])))
        tempi = level.fit_into(level.find_candidates(periodicity), TEMPO_RANGE_BPM)
        features = level.level_features(periodicity, tempi)
        prior = level.log_prior(tempi)
        truth_bpm = float(row["true_bpm"])
        recordings.append(Recording(row["group"], truth_bpm, tempi, features, prior))
    return recordings


def _measure(path: Path) -> Spectra:
    def measure(sample_rate: int, n_channels: int, blocks: Iterator[Samples]) -> Spectra:
        return measure_spectra(map(to_mono, blocks), sample_rate)

    return read_through(path, measure, max_duration_s=None)[1]


if __name__ == "__main__":
    main()
