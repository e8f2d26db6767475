"""Output of benchmarks: a table, or one JSON object."""

import json
import statistics
import sys
from collections.abc import Callable, Mapping
from time import perf_counter


def wall_ratio(
    baseline: Callable[[], object], ours: Callable[[], object], *, repeats: int
) -> tuple[float, float, float]:
    """Time two functions alternately in this process; return the median seconds and their ratio.

    Returns (baseline seconds, our seconds, median of the ratios pair by pair). Pairs cancel the
    drift of a shared machine.
    """
    pairs = []
    for repeat in range(repeats):
        times = [0.0, 0.0]
        # The second one finds warmer caches: alternate the order.
        for index in (0, 1) if repeat % 2 == 0 else (1, 0):
            began = perf_counter()
            (baseline, ours)[index]()
            times[index] = perf_counter() - began
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
