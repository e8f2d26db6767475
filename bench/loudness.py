"""Compare the loudness with FFmpeg's ``ebur128`` on recordings.

    python -m bench.loudness --set FOLDER [--json]

``FOLDER/set.csv`` names recordings in its column ``file``. Both meters get the same decoded blocks;
the largest differences over all recordings are printed.
"""

import argparse
import csv
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av  # noqa: TID251 (the peer of the comparison)
import numpy as np

from bench.report import report
from core.audio.buffer import Samples
from core.audio.metering.loudness import Loudness, LoudnessMeter
from core.audio.reading.decode import read_through

FACTS = (
    "integrated_lufs",
    "loudness_range_lu",
    "true_peak_dbtp",
    "momentary_max_lufs",
    "short_term_max_lufs",
)
_LAYOUTS = {1: "mono", 2: "stereo"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, required=True, help="folder with set.csv")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    folder: Path = parser.parse_args().set
    with (folder / "set.csv").open(newline="") as file:
        paths = [folder / row["file"] for row in csv.DictReader(file)]
    pairs = [read_through(path, _measure_both)[1] for path in paths]
    figures: dict[str, float | str] = {
        f"{fact}_largest_difference": max(
            abs(getattr(ours, fact) - getattr(theirs, fact))
            for ours, theirs in pairs
            if getattr(ours, fact) is not None
        )
        for fact in FACTS
    }
    report(f"Loudness of {len(paths)} recordings beside FFmpeg's", figures)


def measure_with_ffmpeg(blocks: Iterable[Samples], sample_rate: int, n_channels: int) -> Loudness:
    """Measure loudness by FFmpeg's ``ebur128`` filter, in the shape of `measure_loudness`."""
    meter = _FfmpegMeter(sample_rate, n_channels)
    for block in blocks:
        meter.add(block)
    return meter.result()


class _FfmpegMeter:
    def __init__(self, sample_rate: int, n_channels: int) -> None:
        self._rate, self._layout = sample_rate, _LAYOUTS[n_channels]
        self._graph = av.filter.Graph()
        self._source = self._graph.add_abuffer(
            sample_rate=sample_rate,
            format="fltp",
            layout=self._layout,
            time_base=Fraction(1, sample_rate),
        )
        meter = self._graph.add("ebur128", "metadata=1:peak=true")
        self._sink = self._graph.add("abuffersink")
        self._source.link_to(meter)
        meter.link_to(self._sink)
        self._graph.configure()
        self._n_samples = 0
        self._last: dict[str, str] = {}
        self._peak = 0.0
        self._maxima = {"M": -math.inf, "S": -math.inf}

    def add(self, block: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block), format="fltp", layout=self._layout
        )
        frame.sample_rate, frame.pts = self._rate, self._n_samples
        frame.time_base = Fraction(1, self._rate)
        self._n_samples += block.shape[1]
        self._source.push(frame)
        self._read()

    def result(self) -> Loudness:
        self._source.push(None)
        self._read()
        return Loudness(
            integrated_lufs=float(self._last["lavfi.r128.I"]),
            loudness_range_lu=float(self._last["lavfi.r128.LRA"]),
            true_peak_dbtp=20 * math.log10(self._peak) if self._peak else None,
            momentary_max_lufs=self._maxima["M"],
            short_term_max_lufs=self._maxima["S"],
        )

    def _read(self) -> None:
        while True:
            try:
                metadata = dict(self._sink.pull().metadata)
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if not metadata:  # the remainder, shorter than a step of 100 ms
                continue
            self._last = metadata
            for name, text in self._last.items():
                if "true_peaks_ch" in name:
                    self._peak = max(self._peak, float(text))
            for name in self._maxima:
                self._maxima[name] = max(
                    self._maxima[name], float(self._last[f"lavfi.r128.{name}"])
                )


def _measure_both(
    sample_rate: int, n_channels: int, blocks: Iterator[Samples]
) -> tuple[Loudness, Loudness]:
    ours, theirs = LoudnessMeter(sample_rate, n_channels), _FfmpegMeter(sample_rate, n_channels)
    for block in blocks:
        ours.add(block)
        theirs.add(block)
    return ours.result(), theirs.result()


if __name__ == "__main__":
    main()
