"""Separation quality of a model on songs with known stems.

    python -m bench.quality [FOLDER] [--model NAME] [--preset NAME] [--plain] [--json]

Without a folder: the project's synthesised songs, and Falcon 69 if the stempeg package is
installed. The stems are those that a job delivers: the residual is folded in, and they sum to the
mixture. Figures: plain SDR and SI-SDR of whole songs, the median of BSS Eval v4 (museval; --plain
omits it, as it takes longer than most models), and the null test with the mixture.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.sdr import bss_eval_db, null_db, sdr_db, si_sdr_db
from bench.true_stems import Song, demo_songs, falcon, read_songs
from config import settings
from core.audio.buffer import Samples
from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SeparatorFactory
from core.separation.streaming.effort import PRESETS, Effort

Scores = dict[str, dict[str, float]]  # stem -> figure -> dB


def separate(model: SeparatorModel, song: Song, effort: Effort) -> dict[str, Samples]:
    """Return the stems as a job delivers them, with the residual folded in."""
    stems = model.separate(song.mixture, song.sample_rate, effort=effort)
    if model.residual_stem is not None:
        rest = song.mixture.astype(np.float64) - sum(s.astype(np.float64) for s in stems.values())
        stems[model.residual_stem] = (stems[model.residual_stem] + rest).astype(np.float32)
    return stems


def pair(
    true: Mapping[str, Samples], estimates: Mapping[str, Samples]
) -> dict[str, tuple[Samples, Samples]]:
    """Match estimated and true stems with different names.

    If both sides have ``other``, stems of one side alone are added to it; else the sum of the stems
    of the true side alone is compared with that of the model alone, under the name of the latter.
    """
    pairs = {name: (true[name], estimates[name]) for name in true if name in estimates}
    lone_true = [true[name] for name in true if name not in pairs]
    lone_names = [name for name in estimates if name not in pairs]
    lone = [estimates[name] for name in lone_names]
    if "other" in pairs:
        truth, estimate = pairs["other"]
        pairs["other"] = (_total([truth, *lone_true]), _total([estimate, *lone]))
    elif lone_true and lone:
        pairs["+".join(lone_names)] = (_total(lone_true), _total(lone))
    return pairs


def score(song: Song, estimates: Mapping[str, Samples], *, plain: bool) -> Scores:
    """Measure every stem of a song."""
    pairs = pair(song.stems, estimates)
    scores = {
        name: {"sdr_db": sdr_db(*signals), "si_sdr_db": si_sdr_db(*signals)}
        for name, signals in pairs.items()
    }
    true, estimated = zip(*pairs.values(), strict=True)
    framewise = None if plain else bss_eval_db(true, estimated, song.sample_rate)
    if framewise is not None:
        for name, value in zip(pairs, framewise, strict=True):
            scores[name]["bss_eval_v4_db"] = value
    return scores


def measure(
    model: SeparatorModel, songs: Iterator[Song], effort: Effort, *, plain: bool
) -> dict[str, Any]:
    """Separate and score songs; the medians are over the songs."""
    by_song: dict[str, Scores] = {}
    nulls: dict[str, float] = {}
    for song in songs:
        print(f"{song.name} …", file=sys.stderr)
        estimates = separate(model, song, effort)
        by_song[song.name] = score(song, estimates, plain=plain)
        nulls[song.name] = null_db(song.mixture, list(estimates.values()))
    return {
        "model": model.name,
        "weights_sha256": model.weights_sha256,
        "songs": by_song,
        "median": medians(by_song.values()),
        "null_db": nulls,
    }


def medians(songs: Iterable[Scores]) -> Scores:
    """Return the median over songs of each figure of each stem, without NaN."""
    found: dict[tuple[str, str], list[float]] = {}
    for scores in songs:
        for stem, figures in scores.items():
            for name, value in figures.items():
                found.setdefault((stem, name), []).append(value)
    result: Scores = {}
    for (stem, name), values in found.items():
        known = [value for value in values if not np.isnan(value)]
        result.setdefault(stem, {})[name] = statistics.median(known) if known else float("nan")
    return result


def known_songs() -> Iterator[Song]:
    """Yield the songs that need no folder."""
    yield from demo_songs()
    song = falcon()
    if song is not None:
        yield song


def main() -> None:
    parser = argparse.ArgumentParser(description="SDR of a model on songs with true stems.")
    parser.add_argument(
        "folder", type=Path, nargs="?", help="folder of songs; default: the built-in songs"
    )
    parser.add_argument("--model", default="auto", help="name of a model; default auto")
    parser.add_argument("--preset", choices=PRESETS, default="balanced")
    parser.add_argument("--plain", action="store_true", help="without BSS Eval")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    chosen = settings()
    model = SeparatorFactory.create(asked.model, device=chosen.device, model_dir=chosen.model_dir)
    songs = known_songs() if asked.folder is None else read_songs(asked.folder)
    result = measure(model, songs, PRESETS[asked.preset], plain=asked.plain)
    if asked.json:
        print(json.dumps(_for_json(result), allow_nan=False))
    else:
        print_table(result)


def print_table(result: dict[str, Any]) -> None:
    """Print one row per stem of a song."""
    print(f"{result['model']} (weights {str(result['weights_sha256'])[:12]})")
    print(f"{'song':<34}{'stem':<16}{'SDR':>8}{'SI-SDR':>8}{'BSS v4':>8}{'null':>8}   dB")
    songs: dict[str, Scores] = {**result["songs"], "median": result["median"]}
    nulls: dict[str, float] = result["null_db"]
    for song, scores in songs.items():
        for stem, figures in scores.items():
            values = [figures.get(key) for key in ("sdr_db", "si_sdr_db", "bss_eval_v4_db")]
            cells = "".join(_cell(value) for value in [*values, nulls.get(song)])
            print(f"{song[:33]:<34}{stem[:15]:<16}{cells}")


def _cell(value: float | None) -> str:
    return f"{'–':>8}" if value is None or np.isnan(value) else f"{value:8.2f}"


def _for_json(value: Any) -> Any:
    """Replace NaN and infinity by null."""
    if isinstance(value, dict):
        return {key: _for_json(item) for key, item in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _total(signals: list[Samples]) -> Samples:
    total: Samples = np.sum([signal.astype(np.float64) for signal in signals], axis=0)
    return total.astype(np.float32)


if __name__ == "__main__":
    main()
