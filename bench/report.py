"""How benchmarks print: a table for people, one JSON object for programs."""

import json
import statistics
import sys
from collections.abc import Callable, Mapping
from time import process_time


def cpu_ratio(
    baseline: Callable[[], object], ours: Callable[[], object], *, repeats: int
) -> tuple[float, float, float]:
    """Time two functions in turn in this process; give the median CPU seconds and their ratio.

    Returns (baseline seconds, our seconds, median of the ratios pair by pair). Pairs cancel the
    drift of a shared machine.
    """
    pairs = []
    for _ in range(repeats):
        times = []
        for function in (baseline, ours):
            began = process_time()
            function()
            times.append(process_time() - began)
        pairs.append(times)
    return (
        statistics.median(pair[0] for pair in pairs),
        statistics.median(pair[1] for pair in pairs),
        statistics.median(pair[0] / pair[1] for pair in pairs),
    )


def report(title: str, figures: Mapping[str, float | str]) -> None:
    """Print figures."""
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    print(title)
    width = max(map(len, figures))
    for name, value in figures.items():
        print(
            f"  {name:<{width}}  {value:.2f}"
            if isinstance(value, float)
            else f"  {name:<{width}}  {value}"
        )
