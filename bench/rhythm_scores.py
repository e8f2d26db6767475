"""How rhythm goes wrong: half a beat off, at a wrong level, bars on a wrong beat.

    python -m bench.rhythm_scores [--songs 93] [--families house,trance] [--json]

scores the rhythm of songs made by rule (`bench.made_grooves`) from seeds that nothing is trained
on. `bench.analysis` scores recordings by the same functions.
"""

import argparse
import statistics
from collections.abc import Iterable, Sequence

import numpy as np

from bench.made_families import FAMILIES
from bench.made_grooves import make_groove
from bench.made_songs import MadeSong
from bench.music_scores import SAME_FAMILY, is_exact, is_tempo, score_beats
from bench.report import report
from core.analysis.rhythm.tempo import estimate_tempo
from core.analysis.spectra import measure_spectra

FIRST_SEED = 900_000
DURATION_S = 36.0


def main() -> None:
    """Make the songs, analyse, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=93)
    parser.add_argument("--families", default="", help="names, separated by commas; all by default")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    names = set(filter(None, options.families.split(",")))
    families = [family for family in FAMILIES if not names or family.name in names]
    seeds = range(FIRST_SEED, FIRST_SEED + options.songs)
    songs = (make_groove(seed, DURATION_S, families=families) for seed in seeds)
    report(f"Rhythm of {options.songs} songs made by rule", score_songs(songs))


def score_songs(songs: Iterable[MadeSong]) -> dict[str, float]:
    """Return the mean of every score of the rhythm of songs with known beats."""
    scores: dict[str, list[float]] = {}
    for song in songs:
        for name, value in _score(song).items():
            scores.setdefault(name, []).append(value)
    return {name: statistics.fmean(values) for name, values in scores.items()}


def _score(song: MadeSong) -> dict[str, float]:
    found = estimate_tempo(measure_spectra([song.mono]))
    beat_s, first_s = 60 / song.tempo_bpm, song.first_downbeat_s
    beats_s, bars_s = (
        [float(time) for time in np.arange(first_s % span_s, DURATION_S, span_s)]
        for span_s in (beat_s, beat_s * song.beats_per_bar)
    )
    is_right = is_tempo(song.tempo_bpm, found.tempo_bpm)
    scores = {
        "acc1": float(is_right),
        "acc2": float(is_tempo(song.tempo_bpm, found.tempo_bpm, SAME_FAMILY)),
        "within_0_05_bpm": float(is_exact(song.tempo_bpm, found.tempo_bpm)),
        "beat_f": score_beats(beats_s, found.beats_s),
        "downbeat_f": score_beats(bars_s, found.downbeats_s),
    }
    scores |= score_level(song.tempo_bpm, found.tempo_bpm)
    if is_right:
        scores["half_beat_off"] = float(is_half_beat_off(beat_s, first_s, found.beats_s))
    return scores


def name_level(truth_bpm: float, found_bpm: float) -> str:
    """Return ``right``, ``half``, ``double``, or ``other`` for any other wrong tempo."""
    for name, factor in (("right", 1.0), ("half", 1 / 2), ("double", 2.0)):
        if is_tempo(truth_bpm, found_bpm, (factor,)):
            return name
    return "other"


def score_level(truth_bpm: float, found_bpm: float) -> dict[str, float]:
    """Return 1.0 for the way in which a tempo is wrong, 0.0 for the others."""
    found = name_level(truth_bpm, found_bpm)
    return {f"tempo_{name}": float(found == name) for name in ("half", "double", "other")}


def is_half_beat_off(beat_s: float, first_s: float, found_s: Sequence[float]) -> bool:
    """Check whether most beats lie nearer to the middle between true beats than to these.

    Parameters
    ----------
    beat_s, first_s : length of a true beat, and the time of one, in seconds.
    found_s : beats in seconds, at the true tempo; none are not half a beat off.
    """
    away = (np.asarray(found_s, dtype=np.float64) - first_s) / beat_s
    away = np.abs(away - np.rint(away))
    return bool(np.count_nonzero(away > 0.25) > len(away) / 2)


if __name__ == "__main__":
    main()
