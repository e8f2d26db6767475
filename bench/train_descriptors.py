"""Fit the scaling of the descriptor vector (`core.analysis.descriptors`) on a folder of recordings.

    python -m bench.train_descriptors --set FOLDER

FOLDER holds ``set.csv`` with the columns ``file``, ``group`` and ``license``. Every group has
the same weight; recordings whose licence forbids commercial use are skipped. The result is a mean
and a deviation per feature. The deviation is multiplied by the square root of the length of the
feature's block, so that each block has the same weight in a distance. Nothing is tuned.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis.descriptors import LAYOUT, measure_descriptors
from core.analysis.signal import to_mono
from core.analysis.spectra import Spectra, measure_spectra
from core.audio.buffer import Samples
from core.audio.reading.decode import read_through

DESTINATION = Path(__file__).parents[1] / "core/analysis/weights/descriptors.npz"


def measure_file(path: Path) -> Spectra:
    def take(sample_rate: int, _: Any, blocks: Iterator[Samples]) -> Spectra:
        return measure_spectra(map(to_mono, blocks), sample_rate)

    spectra: Spectra = read_through(path, take)[1]
    return spectra


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, required=True)
    folder = parser.parse_args().set
    with (folder / "set.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if "NC" not in row["license"]]
    vectors = np.array([measure_descriptors(measure_file(folder / row["file"])) for row in rows])
    groups = np.array([row["group"] for row in rows])
    names = sorted(set(groups))
    centre = np.mean([vectors[groups == name].mean(axis=0) for name in names], axis=0)
    spread = np.mean(
        [np.square(vectors[groups == name] - centre).mean(axis=0) for name in names], 0
    )
    lengths = np.concatenate([np.full(length, length) for length in LAYOUT.values()])
    scale = np.sqrt(np.maximum(spread, 1e-12) * lengths)
    np.savez(DESTINATION, centre=centre.astype(np.float32), scale=scale.astype(np.float32))
    print(f"{len(rows)} recordings in {len(names)} groups, {len(centre)} features")


if __name__ == "__main__":
    main()
