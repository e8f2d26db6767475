from typing import Any

import pytest
import torch

from core.separation.streaming.checkpoint import ChunkCheckpoint
from core.separation.streaming.overlap_add import overlap_add, segment_offsets, triangle


def run(network: Any, mixture: Any, segment: Any, **options: Any) -> Any:
    """Run and join the blocks."""
    stream = overlap_add(
        network,
        lambda start, stop: mixture[:, start:stop],
        mixture.shape[-1],
        segment=segment,
        on_segment=options.pop("on_segment", lambda fraction: None),
        checkpoint=options.pop("checkpoint", ChunkCheckpoint(None, "", {})),
        **options,
    )
    return torch.cat(list(stream), dim=-1)


def identity(segment: Any) -> Any:
    return segment[:, None]


@pytest.mark.parametrize("segment", [1, 2, 3, 100, 101])
@pytest.mark.parametrize("n_samples", [1, 2, 74, 75, 76, 99, 100, 101, 174, 175, 176, 1000])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9])
def test_weights_sum_to_one(segment: int, n_samples: int, overlap: float) -> None:
    """A network that changes nothing must give the mixture back, wherever the segments end."""
    mixture = torch.linspace(-1, 1, 2 * n_samples).reshape(2, n_samples)
    joined = run(identity, mixture, segment, overlap=overlap)
    torch.testing.assert_close(joined[0], mixture, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("n_samples", "offsets"),
    [(1, [0]), (100, [0]), (101, [0, 75]), (175, [0, 75]), (176, [0, 75, 150])],
)
def test_the_last_segment_is_the_first_that_reaches_the_end(
    n_samples: int, offsets: list[int]
) -> None:
    assert segment_offsets(n_samples, 100) == offsets


def test_triangle_peaks_in_the_middle() -> None:
    assert triangle(5).tolist() == pytest.approx([1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])
    assert triangle(4).tolist() == [0.5, 1, 1, 0.5]
    assert triangle(1).tolist() == [1]


def test_short_segments_are_centred_in_what_lies_around_them() -> None:
    """As demucs: real samples on the left, zeros beyond the end; not zeros alone."""
    seen = []

    def network(segment: Any) -> Any:
        seen.append(segment[0, 0].tolist())
        return segment[:, None]

    mixture = torch.arange(1.0, 9).reshape(1, 8)
    run(network, mixture, 6, valid_length=lambda length: 6)
    assert seen == [[1, 2, 3, 4, 5, 6], [4, 5, 6, 7, 8, 0]]


def test_progress_comes_at_each_segment_and_can_end_the_run() -> None:
    seen = []

    def on_segment(fraction: float) -> None:
        seen.append(fraction)
        if fraction >= 0.5:
            raise KeyError("stop")

    with pytest.raises(KeyError):
        run(identity, torch.ones(2, 325), 100, on_segment=on_segment)
    assert seen == [0, 0.25, 0.5]
