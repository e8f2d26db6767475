"""Neighbours: exact against a plain sort, approximate against exact."""

import numpy as np
import pytest

from core.library.catalogue.columns import Vectors
from core.library.catalogue.similarity import ApproximateIndex, ExactIndex, build_index


def make_vectors(n: int, n_features: int = 16, seed: int = 0) -> Vectors:
    values = np.random.default_rng(seed).standard_normal((n, n_features)).astype(np.float32)
    return Vectors(tuple(f"{i:05}" for i in range(n)), values)


def test_the_exact_search_gives_what_sorting_everything_gives() -> None:
    vectors = make_vectors(500)
    units = vectors.values / np.linalg.norm(vectors.values, axis=1, keepdims=True)
    expected = np.argsort(-(units @ units[7]))
    expected = expected[expected != 7][:20]
    found = ExactIndex(vectors).nearest("00007", 20)
    assert [track_id for track_id, _ in found] == [vectors.ids[i] for i in expected]
    assert [c for _, c in found] == pytest.approx((units @ units[7])[expected], abs=1e-6)


def test_length_does_not_count_and_zero_is_like_nothing() -> None:
    """A loud track must not be everybody's neighbour; silence has a defined result."""
    values = np.array([[1, 0], [100, 0], [0, 1], [0, 0]], np.float32)
    index = build_index(Vectors(("a", "b", "c", "d"), values))
    assert index.nearest("a", 9) == [("b", 1.0), ("c", 0.0), ("d", 0.0)]
    assert {c for _, c in index.nearest("d", 9)} == {0.0}


def test_a_library_of_one_track_has_no_neighbours() -> None:
    index = build_index(make_vectors(1))
    assert index.nearest("00000", 5) == []
    with pytest.raises(KeyError):
        index.nearest("nobody", 5)


def test_the_graph_finds_what_the_exact_search_finds() -> None:
    """An approximate answer is only worth having when it is nearly the exact one."""
    pytest.importorskip("usearch")
    vectors = make_vectors(3000)
    exact, graph = build_index(vectors), build_index(vectors, approximate_above=1000)
    assert isinstance(graph, ApproximateIndex)
    hits = 0
    for track_id in vectors.ids[:50]:
        found = graph.nearest(track_id, 10)
        assert track_id not in dict(found)
        hits += len(dict(found).keys() & dict(exact.nearest(track_id, 10)).keys())
    assert hits >= 475
