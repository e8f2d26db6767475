"""Similarity: nearest neighbours of descriptor vectors by cosine.

Exact search on one float32 matrix in memory, which was faster than an index in the database at
every size. Above `APPROXIMATE_ABOVE` tracks a graph index (HNSW) takes over where the optional
package ``usearch`` is installed.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.library.catalogue.columns import Vectors

APPROXIMATE_ABOVE = 200_000
Neighbours = list[tuple[str, float]]


class SimilarityIndex(Protocol):
    """An index of vectors for nearest neighbours."""

    def nearest(self, track_id: str, limit: int) -> Neighbours:
        """Return up to ``limit`` (id, cosine), best first, without the track itself.

        Raises KeyError for a track that is not in the index.
        """


class ExactIndex:
    """Exhaustive search: 100,000 vectors of 64 numbers take a few milliseconds."""

    def __init__(self, vectors: Vectors) -> None:
        self._ids = vectors.ids
        self._rows = {track_id: row for row, track_id in enumerate(vectors.ids)}
        self._units = _unit_rows(vectors.values)

    def nearest(self, track_id: str, limit: int) -> Neighbours:
        """Return the nearest; ties in the order of their ids."""
        row = self._rows[track_id]
        cosines = self._units @ self._units[row]
        cosines[row] = -np.inf
        n = min(limit, len(cosines) - 1)
        best = np.argpartition(-cosines, n - 1)[:n] if n > 0 else np.zeros(0, np.intp)
        best = best[np.lexsort((best, -cosines[best]))]
        return [(self._ids[place], float(min(cosines[place], 1.0))) for place in best]


class ApproximateIndex:
    """A graph of neighbours (HNSW) by ``usearch``: finds nearly all nearest ones, at any size."""

    def __init__(self, vectors: Vectors, usearch: Any) -> None:
        self._ids = vectors.ids
        self._rows = {track_id: row for row, track_id in enumerate(vectors.ids)}
        self._units = _unit_rows(vectors.values)
        self._index = usearch.Index(ndim=self._units.shape[1], metric="cos", dtype="f16")
        self._index.add(np.arange(len(self._ids), dtype=np.uint64), self._units)

    def nearest(self, track_id: str, limit: int) -> Neighbours:
        """Return the nearest; their cosines are exact."""
        row = self._rows[track_id]
        found = self._index.search(self._units[row], limit + 1).keys.astype(np.intp)
        found = found[found != row]
        cosines = self._units[found] @ self._units[row]
        order = np.lexsort((found, -cosines))[:limit]
        return [(self._ids[found[i]], float(min(cosines[i], 1.0))) for i in order]


def build_index(vectors: Vectors, *, approximate_above: int = APPROXIMATE_ABOVE) -> SimilarityIndex:
    """Build the index that suits the number of vectors and the installed packages."""
    if len(vectors.ids) > approximate_above and find_spec("usearch") is not None:
        return ApproximateIndex(vectors, import_module("usearch.index"))
    return ExactIndex(vectors)


def _unit_rows(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to unit length; zero rows stay zero and match nothing."""
    lengths = np.sqrt(np.einsum("ij,ij->i", values, values))
    lengths = np.where(lengths > 0, lengths, 1.0).astype(np.float32)
    return np.ascontiguousarray(values / lengths[:, None], dtype=np.float32)
