"""Tracks as columns in memory, for the planner and similarity.

Plain arrays, so that the layers above need no database. NaN: unknown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemcrate.schemas.facts import MIXTURE
from stemcrate.schemas.search import PLANNED
from stemcrate.schemas.transitions import TrackId

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Descriptor vectors of one version: float32, shape (n_tracks, n_features)."""

    ids: tuple[str, ...]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrackColumns:
    """Columns of n tracks; every column has n rows.

    Parameters
    ----------
    ids, titles, artists, camelot : None: unknown.
    numbers : by the names of `stemcrate.schemas.search.PlannedFacts`, shape (n,).
    mix_in_s, mix_out_s : shape (n, 2), start and end of the mixing windows.
    vocals_s : (start, end) of sung passages, shape (n_passages, 2); None: unknown,
        empty: instrumental.
    stems : names of the available stems.
    descriptors : of the mixtures, float32, shape (n, n_features), NaN: unknown. Of a library those
        of the version that most tracks have; the others count as unknown.
    downbeats_s : the downbeats of each track, ascending; empty: unknown. A library does not read
        them.
    is_delivered : whether the loudness of each track is that of a delivered file; empty: of none,
        as in a library.
    """

    ids: tuple[TrackId, ...]
    titles: tuple[str, ...]
    artists: tuple[str | None, ...]
    camelot: tuple[str | None, ...]
    numbers: Mapping[str, Floats]
    mix_in_s: Floats
    mix_out_s: Floats
    vocals_s: tuple[Floats | None, ...]
    stems: tuple[tuple[str, ...], ...]
    descriptors: NDArray[np.float32]
    downbeats_s: tuple[Sequence[float], ...] = ()
    is_delivered: tuple[bool, ...] = ()


Row = Mapping[str, Any]
"""One track as the database has it; see `core.library.catalogue.models.TrackRow`."""

COLUMNS = (
    "id",
    "title",
    "artist",
    "camelot",
    *PLANNED,
    "mix_in_start_s",
    "mix_in_end_s",
    "mix_out_start_s",
    "mix_out_end_s",
    "vocals_s",
    "stems",
    "descriptor_version",
    "descriptor_parts",
    "descriptors",
)
"""The columns of the database that `make_columns` reads."""


def make_columns(rows: Sequence[Row]) -> TrackColumns:
    """Convert rows to columns, in order."""
    return TrackColumns(
        ids=tuple(row["id"] for row in rows),
        titles=tuple(row["title"] for row in rows),
        artists=tuple(row["artist"] for row in rows),
        camelot=tuple(row["camelot"] for row in rows),
        numbers={name: _floats([row[name] for row in rows]) for name in PLANNED},
        mix_in_s=_floats([(row["mix_in_start_s"], row["mix_in_end_s"]) for row in rows], 2),
        mix_out_s=_floats([(row["mix_out_start_s"], row["mix_out_end_s"]) for row in rows], 2),
        vocals_s=tuple(_unpack_intervals(row["vocals_s"]) for row in rows),
        stems=tuple(tuple(filter(None, row["stems"].split(","))) for row in rows),
        descriptors=_stack_descriptors(rows),
    )


def _unpack_intervals(data: bytes | None) -> Floats | None:
    return None if data is None else np.frombuffer(data, dtype="<f8").reshape(-1, 2)


def _floats(values: Sequence[object], *width: int) -> Floats:
    # None becomes NaN.
    return np.array(values, dtype=np.float64).reshape(len(values), *width)


def _stack_descriptors(rows: Sequence[Row]) -> NDArray[np.float32]:
    known = {place: row for place, row in enumerate(rows) if _has_mixture(row)}
    versions = Counter(row["descriptor_version"] for row in known.values())
    if not versions:
        return np.zeros((len(rows), 0), dtype=np.float32)
    version = max(versions, key=lambda name: (versions[name], name))
    vectors = {
        place: np.frombuffer(row["descriptors"], dtype="<f4", count=_n_features(row))
        for place, row in known.items()
        if row["descriptor_version"] == version
    }
    n_features = len(next(iter(vectors.values())))
    stacked = np.full((len(rows), n_features), np.nan, dtype=np.float32)
    for place, vector in vectors.items():
        stacked[place] = vector
    return stacked


def _has_mixture(row: Row) -> bool:
    return row["descriptors"] is not None and row["descriptor_parts"].split(",")[0] == MIXTURE


def _n_features(row: Row) -> int:
    """Return the length of one vector; that of the mixture is the first."""
    n_parts = len(row["descriptor_parts"].split(","))
    return len(row["descriptors"]) // 4 // n_parts
