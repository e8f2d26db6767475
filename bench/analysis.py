"""Score the analysis on recordings with known tempo, grid or key, and compare other programs.

    python -m bench.analysis --set FOLDER [--peers-python PYTHON] [--made N] [--json]
    python -m bench.analysis --doors FOLDER [--files N] [--rounds N] [--json]

``FOLDER/set.csv`` names recordings in its columns: file, true_bpm, true_key, downbeat0 (s),
beats_per_bar, group, dur (s); empty if unknown. Columns chords and sections may name files with
lines of ``start end label``. ``--made N`` adds key, chords and form of N songs made by rule
(`bench.harmony_scores`). Ours (`core.analysis.file`) and librosa's functions analyse each file
alternately in this process, including decoding, which gives the CPU seconds and their ratio.
Essentia and Mixxx's analysers run in the environment of PYTHON (`bench.peers`). Then two processes
analyse all files, which gives the tracks per minute.

Set OMP_NUM_THREADS=1 for comparable seconds.

``--doors`` measures what N of the files in a folder cost by ``stemcrate analyze``, ``library add``
and a job without a model instead, and what they cost when their facts are known (`bench.doors`).
"""

import argparse
import csv
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from bench.doors import measure_doors
from bench.harmony_scores import Span, rate_made, read_spans, score_chords, score_form
from bench.librosa_facts import find_facts
from bench.music_scores import (
    SAME_FAMILY,
    calibration,
    is_compatible,
    is_exact,
    is_tempo,
    score_beats,
    score_key,
)
from bench.peers import PEERS, ask_peer, has_peer
from bench.report import report
from bench.rhythm_scores import is_half_beat_off, score_level
from core.analysis.file import analyse_file

Facts = Mapping[str, Any]
Row = Mapping[str, str]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--set", type=Path, help="folder with set.csv")
    asked.add_argument("--doors", type=Path, metavar="FOLDER", help="folder with recordings")
    parser.add_argument("--files", type=int, default=12, help="files for --doors")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of --doors, for a median")
    parser.add_argument("--made", type=int, default=0, help="songs made by rule to score, too")
    parser.add_argument("--peers-python", type=Path, help="interpreter that has the peers")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    if options.doors is not None:
        figures = measure_doors(options.doors, n_files=options.files, n_rounds=options.rounds)
        report("Analysis by each door", figures)
        return
    folder: Path = options.set
    with (folder / "set.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, name in ((row, name) for row in rows for name in ("chords", "sections")):
        if row.get(name):
            row[name] = str(folder / row[name])
    paths = [folder / row["file"] for row in rows]
    minutes = sum(float(row["dur"]) for row in rows) / 60
    find_ours(paths[0]), find_facts(paths[0])  # warm both: imports, filters, compiled code
    ours, our_s = _find_all(find_ours, paths)
    theirs, their_s = _find_all(find_facts, paths)
    columns = {
        "ours": score_all(rows, ours) | {"cpu_s_per_min": our_s / minutes},
        "librosa": score_all(rows, theirs) | {"cpu_s_per_min": their_s / minutes},
    }
    for peer in PEERS:
        python = options.peers_python
        if python is not None and has_peer(python, peer):
            found, seconds = ask_peer(python, peer, paths)
            columns[peer] = score_all(rows, found) | {"cpu_s_per_min": seconds / minutes}
    figures = {"speedup_vs_librosa": their_s / our_s}
    figures |= _rate_confidences(rows, ours)
    figures |= {
        "tracks_per_min_2_processes": _rate_pool(find_ours, paths),
        "librosa_tracks_per_min_2_processes": _rate_pool(find_facts, paths),
    }
    if options.made:
        figures |= rate_made(options.made)
    title = f"Analysis of {len(rows)} recordings, {minutes:.0f} min"
    if options.json:
        report(title, flatten(columns) | figures)
    else:
        print("\n".join(tabulate(columns)))
        report(title, figures)


def flatten(columns: Mapping[str, Mapping[str, float]]) -> dict[str, float | str]:
    """Return all scores by name; those of other programs are prefixed with the program."""
    figures: dict[str, float | str] = {
        name if program == "ours" else f"{program}_{name}": value
        for program, scores in columns.items()
        for name, value in scores.items()
    }
    return figures | {peer: "not installed" for peer in PEERS if peer not in columns}


def tabulate(columns: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a table, scores by programs; a dash stands for a missing fact."""
    programs = ["ours", "librosa", *PEERS]
    lines = ["".join([f"{'':<16}", *(f"{program:>15}" for program in programs)])]
    for name in columns["ours"]:
        cells = (
            (f"{columns[program][name]:.3f}" if name in columns[program] else "—")
            if program in columns
            else "not installed"
            for program in programs
        )
        lines.append("".join([f"{name:<16}", *(f"{cell:>15}" for cell in cells)]))
    return lines


def find_ours(path: Path) -> Facts:
    """Analyse a file as the product does."""
    return analyse_file(path)


def score_all(rows: Sequence[Row], found: Sequence[Facts]) -> dict[str, float]:
    """Return the mean of every score over the recordings with known truth."""
    scores: dict[str, list[float]] = {}
    for row, facts in zip(rows, found, strict=True):
        for name, value in _score(row, facts).items():
            scores.setdefault(name, []).append(value)
    return {name: statistics.fmean(values) for name, values in scores.items()}


def _score(row: Row, facts: Facts) -> dict[str, float]:
    scores: dict[str, float] = {}
    if row["true_bpm"]:
        truth_bpm, found_bpm = float(row["true_bpm"]), facts["tempo_bpm"] or 0.0
        scores["acc1"] = float(is_tempo(truth_bpm, found_bpm))
        scores["acc2"] = float(is_tempo(truth_bpm, found_bpm, SAME_FAMILY))
        scores["within_0_05_bpm"] = float(is_exact(truth_bpm, found_bpm))
        scores |= score_level(truth_bpm, found_bpm)
        if row["downbeat0"]:
            scores |= _score_grid(row, facts)
    if row["true_key"]:
        found_key = facts["key"] or ""
        scores["key_exact"] = float(bool(found_key) and score_key(row["true_key"], found_key) == 1)
        scores["key_weighted"] = score_key(row["true_key"], found_key) if found_key else 0.0
        scores["key_compatible"] = float(
            bool(found_key) and is_compatible(row["true_key"], found_key)
        )
    if row.get("chords") and "chords" in facts:
        scores |= score_chords(read_spans(Path(row["chords"])), _spans(facts["chords"], "chord"))
    if row.get("sections") and "sections" in facts:
        scores |= score_form(read_spans(Path(row["sections"])), _spans(facts["sections"], "label"))
    return scores


def _spans(parts: Sequence[Mapping[str, Any]], label: str) -> list[Span]:
    return [Span(part["start_s"], part["end_s"], part[label]) for part in parts]


def _score_grid(row: Row, facts: Facts) -> dict[str, float]:
    beat_s, first_s = 60 / float(row["true_bpm"]), float(row["downbeat0"])
    per_bar, duration_s = int(row["beats_per_bar"]), float(row["dur"])
    beats_s = [float(time) for time in np.arange(first_s % beat_s, duration_s, beat_s)]
    scores = {"beat_f": score_beats(beats_s, facts["beats_s"])}
    if is_tempo(float(row["true_bpm"]), facts["tempo_bpm"] or 0.0):
        scores["half_beat_off"] = float(is_half_beat_off(beat_s, first_s, facts["beats_s"]))
    if "downbeats_s" in facts:  # programs without bars are not scored by them
        bars_s = [float(time) for time in np.arange(first_s, duration_s, per_bar * beat_s)]
        scores["downbeat_f"] = score_beats(bars_s, facts["downbeats_s"])
    return scores


def _rate_confidences(rows: Sequence[Row], found: Sequence[Facts]) -> dict[str, float | str]:
    """Compare the confidences of the analysis with the shares of right results."""
    figures: dict[str, float | str] = {}
    for name, truth, score in (("tempo", "true_bpm", "acc1"), ("key", "true_key", "key_exact")):
        known = [
            (float(facts[f"{name}_confidence"]), _score(row, facts)[score] == 1)
            for row, facts in zip(rows, found, strict=True)
            if row[truth]
        ]
        if known:
            error, curve = calibration(*zip(*known, strict=True))
            figures[f"{name}_calibration_error"] = error
            figures[f"{name}_reliability"] = curve
    return figures


def _find_all(find: Callable[[Path], Facts], paths: Sequence[Path]) -> tuple[list[Facts], float]:
    """Return the facts of all files and the CPU seconds."""
    began = process_time()
    facts = [find(path) for path in paths]
    return facts, process_time() - began


def _rate_pool(find: Callable[[Path], Facts], paths: Sequence[Path]) -> float:
    """Return the tracks per minute of two warm processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(find, paths[:4]))
        began = perf_counter()
        done = len(list(pool.map(find, paths)))
        return done / max(perf_counter() - began, math.ulp(1.0)) * 60


if __name__ == "__main__":
    main()
