"""Planning of sets: time, and quality compared with djkr8 and a greedy planner.

    python -m bench.playlist [--json]

Times are medians of CPU time in this process, on synthetic libraries (`bench.made_library`) in
memory, as while Stemcrate runs; growth is the time at 100,000 tracks over that at 1,000.

djkr8 (OR-tools' CP-SAT) is measured if installed (``pip install djkr8``), else its figures are
omitted and the reason is printed. Both plan sets of the same length from the same tracks with known
key, tempo, energy and duration, and both sets are rated by our score.

- ``vs_djkr8_score``: our score over theirs, the smallest ratio of all sizes.
- ``vs_djkr8_own_score``: the same by djkr8's own quality of keys, which we do not optimise.
- ``vs_djkr8_speed``: their wall time over ours, the median of all sizes; theirs ends at its own
  limit of 5 s.
- ``vs_greedy_score``: the value of our set, transitions and curve, over that of the greedy planner;
  the smallest ratio and the median.
"""

import statistics
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from time import perf_counter, process_time
from typing import Any

import numpy as np

from bench.made_library import go_greedily, make_library
from bench.report import report
from core.analysis.harmony.camelot import camelot_to_key
from core.export.format import ExportOptions, target_folder
from core.export.model import Crate, CratePlaylist, CrateTrack, FileKind, GridMarker
from core.export.registry import EXPORTERS, export_crate
from core.library.catalogue.columns import Vectors
from core.library.catalogue.similarity import build_index
from core.playlist.compatible import compatible
from core.playlist.harmony import CODES
from core.playlist.plan import find_path, plan_set
from core.playlist.problem import pose
from core.playlist.request import SetRequest
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack
from core.playlist.transition import rate_transition

HOUR = SetRequest(duration_s=3600.0, curve="peak", artist_gap=3)
PEER_SIZES = ((12, 12), (30, 12), (60, 15), (120, 15))
GREEDY_SIZES = (300, 1000, 3000, 10_000)


def _cpu_ms(function: Callable[[], object], *, repeats: int = 9) -> float:
    function()
    times = []
    for _ in range(repeats):
        began = process_time()
        function()
        times.append(process_time() - began)
    return 1000 * statistics.median(times)


def _track(table: TrackTable, row: int) -> PlaylistTrack:
    end_s = float(table.mix_out_s[row, 0] + table.tail_s[row])
    sung = table.vocals_out[row] + table.mix_out_s[row, 0]
    return PlaylistTrack(
        id=str(table.ids[row]),
        title=table.titles[row],
        tempo_bpm=float(table.tempo_bpm[row]),
        camelot=CODES[table.key[row]],
        energy=float(table.energy[row]),
        duration_s=end_s,
        integrated_loudness_lufs=float(table.numbers["integrated_loudness_lufs"][row]),
        timbre=table.timbre[row],
        vocals_s=tuple((float(start), float(end)) for start, end in sung if end > start),
        mix_in_s=(float(table.mix_in_s[row, 0]), float(table.mix_in_s[row, 1])),
        mix_out_s=(float(table.mix_out_s[row, 0]), float(table.mix_out_s[row, 1])),
        stems=("vocals", "other"),
    )


def measure_times() -> dict[str, float]:
    """Time planning and searching at growing sizes."""
    figures = {}
    for n, name in ((1000, "1k"), (10_000, "10k"), (100_000, "100k")):
        table = make_library(n)
        track = TrackTable.from_tracks([_track(table, 0)])
        figures[f"plan_60min_{name}_ms"] = _cpu_ms(lambda: plan_set(table, HOUR))  # noqa: B023
        figures[f"compatible_{name}_ms"] = _cpu_ms(lambda: compatible(track, table))  # noqa: B023
        index = build_index(Vectors(tuple(map(str, table.ids)), table.timbre), approximate_above=n)
        figures[f"similar_{name}_ms"] = _cpu_ms(lambda: index.nearest("t0", 20))  # noqa: B023
    for name in ("plan_60min", "compatible", "similar"):
        figures[f"{name}_growth"] = figures[f"{name}_100k_ms"] / figures[f"{name}_1k_ms"]
    first, second = _track(table, 0), _track(table, 1)
    figures["transition_ms"] = _cpu_ms(lambda: rate_transition(first, second), repeats=99)
    figures["export_60min_ms"] = _measure_export(table)
    return figures


def _measure_export(table: TrackTable) -> float:
    """Time the export of an hour in every format."""
    plan = plan_set(table, HOUR)
    rows = [table.ids.index(track_id) for track_id in plan.ids]
    tracks = tuple(
        CrateTrack(
            id=str(table.ids[row]),
            path=f"Music/{table.titles[row]}.mp3",
            file=FileKind.MP3,
            title=table.titles[row],
            artist="Artist",
            duration_s=300.0,
            tempo_bpm=float(table.tempo_bpm[row]),
            key=camelot_to_key(CODES[table.key[row]]),
            grid=(GridMarker(float(table.mix_in_s[row, 0]), float(table.tempo_bpm[row])),),
        )
        for row in rows
    )
    crate = Crate("Set", tracks, (CratePlaylist("Set", tuple(map(str, plan.ids))),))
    options = ExportOptions(target=target_folder("/Volumes/STICK"))
    names = EXPORTERS.names()
    return _cpu_ms(lambda: [export_crate(crate, name, options) for name in names])


def measure_greed() -> dict[str, float]:
    """Compare with the greedy planner: the same tracks, number, curve and score."""
    ratios, speeds = [], []
    for n in GREEDY_SIZES:
        for curve in (None, "peak"):
            request = SetRequest(n_tracks=14, curve=curve, artist_gap=3)
            problem = pose(make_library(n, seed=n), request)
            began = perf_counter()
            greedy = problem.rate_path(go_greedily(problem))
            greedy_s = perf_counter() - began
            began = perf_counter()
            ours = problem.rate_path(find_path(problem))
            speeds.append(greedy_s / (perf_counter() - began))
            ratios.append(ours / greedy)
    return {
        "vs_greedy_score": min(ratios),
        "vs_greedy_score_median": statistics.median(ratios),
        "vs_greedy_speed": statistics.median(speeds),
    }


def measure_djkr8() -> dict[str, float]:
    """Compare with djkr8; no figures if it is not installed."""
    if find_spec("djkr8") is None:
        print("djkr8 is not importable: its figures are left out.", file=sys.stderr)
        return {}
    djkr8 = import_module("djkr8")
    by_our_score, by_their_score, speeds = [], [], []
    for n, n_tracks in PEER_SIZES:
        tracks = _make_plain_tracks(n)
        began = perf_counter()
        their_ids = _plan_with_djkr8(djkr8, tracks, n_tracks)
        their_s = perf_counter() - began
        if len(their_ids) != n_tracks:
            print(f"djkr8 finds no set of {n_tracks} from {n} tracks.", file=sys.stderr)
            continue
        began = perf_counter()
        our_ids = plan_set(TrackTable.from_tracks(tracks), SetRequest(n_tracks=n_tracks)).ids
        speeds.append(their_s / (perf_counter() - began))
        by_our_score.append(_score(tracks, our_ids) / _score(tracks, their_ids))
        quality = djkr8.camelot.get_transition_quality
        by_their_score.append(
            _quality(quality, tracks, our_ids) / _quality(quality, tracks, their_ids)
        )
    return {
        "vs_djkr8_score": min(by_our_score),
        "vs_djkr8_own_score": min(by_their_score),
        "vs_djkr8_speed": statistics.median(speeds),
    }


def _make_plain_tracks(n: int) -> list[PlaylistTrack]:
    """Tracks with the facts that djkr8 uses; its energy is 1 to 5."""
    rng = np.random.default_rng(n)
    return [
        PlaylistTrack(
            str(number),
            tempo_bpm=round(float(rng.normal(126, 3)), 2),
            camelot=CODES[rng.integers(24)],
            energy=float(rng.integers(1, 6)),
            duration_s=300.0,
        )
        for number in range(n)
    ]


def _plan_with_djkr8(djkr8: Any, tracks: list[PlaylistTrack], n_tracks: int) -> list[str]:
    """Plan with djkr8, without the rules that we lack, and with its own limit of 5 s."""
    optimizer = djkr8.PlaylistOptimizer(
        bpm_tolerance=7.5,
        max_violation_pct=1.0,
        harmonic_level=djkr8.HarmonicLevel.MODERATE,
        enforce_energy_flow=False,
        max_energy_boosts=n_tracks,
    )
    theirs = [
        djkr8.Track(t.id, t.camelot, t.tempo_bpm, int(t.energy or 3), t.duration_s) for t in tracks
    ]
    return [track.id for track in optimizer.optimize(theirs, target_length=n_tracks).playlist]


def _score(tracks: list[PlaylistTrack], ids: Any) -> float:
    order = [tracks[int(track_id)] for track_id in ids]
    return statistics.mean(rate_transition(a, b).score for a, b in pairwise(order))


def _quality(quality: Callable[[str, str], tuple[float, object]], tracks: Any, ids: Any) -> float:
    keys = [tracks[int(track_id)].camelot for track_id in ids]
    return statistics.mean(quality(a, b)[0] for a, b in pairwise(keys))


def main() -> None:
    report("Sets", {**measure_times(), **measure_greed(), **measure_djkr8()})


if __name__ == "__main__":
    main()
