import pytest

from core.jobs.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def run(clock: Clock, pace: Pace, *, start: float = 0.0, n_chunks: int = 40, chunk_s: float = 3.0):
    """Report chunk by chunk; give what was said and what was true, by fraction."""
    said = [(start, pace.eta_s(start), 0.0)]
    for i in range(1, n_chunks + 1):
        clock.now += chunk_s
        fraction = start + (1 - start) * i / n_chunks
        said.append((fraction, pace.eta_s(fraction), (n_chunks - i) * chunk_s))
    return said


@pytest.mark.parametrize("loading_s", [0.0, 20.0])
@pytest.mark.parametrize("start", [0.0, 0.6])
def test_the_estimate_is_right_after_the_first_tenth(loading_s: float, start: float) -> None:
    """Time to load a model, or work of an earlier attempt, would spoil it for the whole stage."""
    clock = Clock()
    pace = Pace(clock)
    clock.now += loading_s
    for fraction, eta_s, left_s in run(clock, pace, start=start):
        if fraction >= start + 0.1 * (1 - start):
            assert eta_s == pytest.approx(left_s, rel=0.2, abs=0.1)


def test_nothing_is_said_before_anything_is_known() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.eta_s(0.0) is None
    clock.now += 0.1
    assert pace.eta_s(0.5) is None
    clock.now += 10
    assert Pace(clock).eta_s(0.5) is None
