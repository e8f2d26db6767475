"""What follows from bars set by hand: sections, mixing windows and cues move to the new bar lines.

The analysis places all of them on downbeats, so the nearest bar line of the corrected grid is what
each of them stands for. Cues set by hand are never moved.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.form.bar_lines import bar_edges, heard_downbeats
from stemcrate.schemas.facts import CuePoint, Interval, Section, TrackFacts

Edges = NDArray[np.float64]


def follow_bars(
    facts: TrackFacts, downbeats_s: Sequence[float], duration_s: float
) -> Mapping[str, Any]:
    """Return the facts of the structure that change with the bars.

    Without two bar lines nothing but the first downbeat changes.
    """
    audible_s = facts.audible_s or (0.0, duration_s)
    heard = heard_downbeats(downbeats_s, audible_s)
    first = round(heard[0], 6) if heard else None
    edges = bar_edges(heard, duration_s)
    if len(edges) < 2:
        return {"first_downbeat_s": first}
    mix_in, mix_out = _snap_window(facts.mix_in_s, edges), _snap_window(facts.mix_out_s, edges)
    return {
        "first_downbeat_s": first,
        "sections": _snap_sections(facts.sections, edges),
        "mix_in_s": mix_in and _times(mix_in, edges),
        "mix_in_bars": mix_in and mix_in[1] - mix_in[0],
        "mix_out_s": mix_out and _times(mix_out, edges),
        "mix_out_bars": mix_out and mix_out[1] - mix_out[0],
        "cues": _snap_cues(facts.cues, edges),
    }


def _snap_sections(sections: Sequence[Section], edges: Edges) -> list[Section]:
    """Move inner borders to the nearest bar lines; a section without a bar left is dropped."""
    last = len(edges) - 1
    borders = [0, *(_nearest_edge(s.start_s, edges) for s in sections[1:]), last]
    kept = [
        (section, first, end)
        for section, first, end in zip(sections, borders, borders[1:], strict=False)
        if end > first
    ]
    snapped = []
    for number, (section, first, end) in enumerate(kept):
        is_first, is_last = number == 0, number == len(kept) - 1
        times = {
            "start_s": sections[0].start_s if is_first else _time(edges[first]),
            "end_s": sections[-1].end_s if is_last else _time(edges[end]),
            "n_bars": end - first,
        }
        snapped.append(section.model_copy(update=times))
    return snapped


def _snap_window(window: Interval | None, edges: Edges) -> tuple[int, int] | None:
    """Return the bar lines of a mixing window, at least one bar apart; None without a window."""
    if window is None:
        return None
    first = min(_nearest_edge(window[0], edges), len(edges) - 2)
    return first, max(first + 1, _nearest_edge(window[1], edges))


def _snap_cues(cues: Sequence[CuePoint], edges: Edges) -> list[CuePoint]:
    """Move cues to the nearest bar lines; of two on one line the first stays."""
    snapped: dict[float, CuePoint] = {}
    for cue in cues:
        time_s = _time(edges[_nearest_edge(cue.time_s, edges)])
        snapped.setdefault(time_s, cue.model_copy(update={"time_s": time_s}))
    return list(snapped.values())


def _nearest_edge(time_s: float, edges: Edges) -> int:
    return int(np.abs(edges - time_s).argmin())


def _times(bars: tuple[int, int], edges: Edges) -> Interval:
    return _time(edges[bars[0]]), _time(edges[bars[1]])


def _time(seconds: float) -> float:
    return round(float(seconds), 6)
