"""A network on a machine that has not enough memory, as torch says it."""

from typing import Any, Self

import pytest
import torch

from core.separation.streaming.oom_fallback import OomFallback
from tests.models import SEGMENT, make_tiny_htdemucs
from tests.unit.separation.measure import RATE

N = 1000


class Hungry(torch.nn.Module):
    """Passes sound through; runs out of memory beyond so many samples at once."""

    def __init__(self, limit: Any, error: Any = None) -> None:
        super().__init__()
        self.limit = limit
        self.error = error or torch.OutOfMemoryError("CUDA out of memory.")
        self.moves = []

    def to(self, device: str) -> Self:
        self.moves.append(device)
        return self

    def forward(self, segments: Any) -> Any:
        if segments.shape[0] * segments.shape[-1] > self.limit:
            raise self.error
        return segments[:, None].clone()


def make(limit: Any, *, shortens: bool = True, device: str = "meta-like", **options: Any) -> Any:
    module, told = Hungry(limit, **options), []
    fallback = OomFallback(
        module,
        "cpu",
        told.append,
        shorten=(lambda n: None) if shortens else None,
        segment=N,
        min_segment=N // 4,
    )
    return module, told, fallback


def test_enough_memory_leaves_everything_alone() -> None:
    _, told, fallback = make(4 * N)
    segments = torch.rand(4, 2, N)
    torch.testing.assert_close(fallback(segments)[:, 0], segments)
    assert told == []


def test_fewer_segments_at_once_come_first() -> None:
    _, told, fallback = make(N)
    segments = torch.rand(4, 2, N)
    torch.testing.assert_close(fallback(segments)[:, 0], segments)
    assert len(told) == 2
    assert "1 at a time" in told[-1]
    fallback(segments)
    assert len(told) == 2, "what was learned holds"


def test_then_shorter_segments_of_the_same_sound() -> None:
    _, told, fallback = make(N // 4)
    segments = torch.rand(1, 2, N)
    torch.testing.assert_close(fallback(segments)[:, 0], segments)
    assert "250 samples" in told[-1]


def test_then_the_end() -> None:
    """On the CPU there is no further down: the error must come out, not an endless loop."""
    _, _, fallback = make(10)
    with pytest.raises(torch.OutOfMemoryError):
        fallback(torch.rand(1, 2, N))


def test_the_cpu_takes_over_from_an_accelerator() -> None:
    """Seen through a network that fails wherever it was put but on the CPU."""

    class Elsewhere(Hungry):
        def forward(self, segments: Any) -> Any:
            if self.moves[-1] != "cpu":
                raise self.error
            return segments[:, None]

    module, told = Elsewhere(0, RuntimeError("MPS backend out of memory (allocated: 1 GB)")), []
    fallback = OomFallback(module, "cpu:0", told.append, segment=N)
    assert torch.equal(fallback(torch.ones(1, 2, N)), torch.ones(1, 1, 2, N))
    assert module.moves == ["cpu:0", "cpu"]
    assert "the CPU instead of cpu:0" in told[0]


def test_other_errors_are_not_taken_for_memory() -> None:
    _, told, fallback = make(10, error=RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        fallback(torch.rand(2, 2, N))
    assert told == []


@pytest.mark.slow
def test_a_real_network_takes_shorter_segments() -> None:
    """HTDemucs pads to its training length: without telling it, nothing would get smaller."""
    from fractions import Fraction

    network = make_tiny_htdemucs()
    segment = int(SEGMENT * RATE)
    seen = []

    def run(segments: Any) -> Any:
        seen.append(segments.shape[-1])
        if segments.shape[-1] > segment // 2:
            raise torch.OutOfMemoryError("out of memory")
        return network(segments)

    def shorten(n_samples: int) -> None:
        network.segment = Fraction(n_samples, RATE)

    fallback = OomFallback(
        network, "cpu", lambda _: None, run=run, shorten=shorten, segment=segment
    )
    with torch.inference_mode():
        stems = fallback(torch.rand(1, 2, segment) - 0.5)
    assert stems.shape == (1, 4, 2, segment)
    assert set(seen[1:]) == {segment // 2}
    assert stems.abs().max() > 0
    fallback.close()
    assert network.segment == SEGMENT
