"""Clocks around a running stage."""

import pytest

from core.jobs.timing import EtaEstimator, Watchdog


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def run(
    clock: Clock,
    estimator: EtaEstimator,
    *,
    start: float = 0.0,
    n_chunks: int = 40,
    chunk_s: float = 3.0,
) -> list[tuple[float, float | None, float]]:
    """Report chunk by chunk; give what was said and what was true, by fraction."""
    said = [(start, estimator.eta_s(start), 0.0)]
    for i in range(1, n_chunks + 1):
        clock.now += chunk_s
        fraction = start + (1 - start) * i / n_chunks
        said.append((fraction, estimator.eta_s(fraction), (n_chunks - i) * chunk_s))
    return said


@pytest.mark.parametrize("loading_s", [0.0, 20.0])
@pytest.mark.parametrize("start", [0.0, 0.6])
def test_the_estimate_is_right_after_the_first_tenth(loading_s: float, start: float) -> None:
    """Time to load a model, or work of an earlier attempt, would spoil it for the whole stage."""
    clock = Clock()
    estimator = EtaEstimator(clock)
    clock.now += loading_s
    for fraction, eta_s, left_s in run(clock, estimator, start=start):
        if fraction >= start + 0.1 * (1 - start):
            assert eta_s == pytest.approx(left_s, rel=0.2, abs=0.1)


def test_nothing_is_said_before_anything_is_known() -> None:
    clock = Clock()
    estimator = EtaEstimator(clock)
    assert estimator.eta_s(0.0) is None
    clock.now += 0.1
    assert estimator.eta_s(0.5) is None
    clock.now += 10
    assert EtaEstimator(clock).eta_s(0.5) is None


def test_watchdog_ends_with_silence_and_begins_anew_with_every_word() -> None:
    """A slow stage that goes on telling must never be taken for one that hangs."""
    moments = iter([0.0, 9.0, 9.0, 18.0, 18.0, 28.0])
    watchdog = Watchdog(10.0, clock=lambda: next(moments))
    for _ in range(2):
        assert not watchdog.is_expired
        watchdog.reset()
    assert watchdog.is_expired


def test_watchdog_without_a_limit_never_ends() -> None:
    moments = iter([0.0, 1e9])
    assert not Watchdog(0.0, clock=lambda: next(moments)).is_expired
