"""The library as columns: what sets are planned and neighbours are found from, in memory.

Plain arrays, so that the rooms above need nothing of the database. NaN stands for what is not
known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stemcrate.schemas.facts import MIXTURE

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Descriptor vectors of one version: float32, shape (n_tracks, n_features)."""

    ids: tuple[str, ...]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LibraryColumns:
    """What is known of n tracks; every column has n rows.

    Parameters
    ----------
    ids, titles, artists, camelot : None where there is none.
    tempo_bpm, energy, integrated_loudness_lufs, duration_s, first_downbeat_s : shape (n,).
    mix_in_s, mix_out_s : shape (n, 2), start and end of where a track can be mixed in and out.
    vocals_s : (start, end) of sung passages, shape (n_passages, 2); None where it is not known.
    stems : names of the stems that lie at hand.
    descriptors : of the mixtures, float32, shape (n, n_features), NaN where there is none. Those of
        the version that most tracks have; the others count as not known.
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    artists: tuple[str | None, ...]
    camelot: tuple[str | None, ...]
    tempo_bpm: Floats
    energy: Floats
    integrated_loudness_lufs: Floats
    duration_s: Floats
    first_downbeat_s: Floats
    mix_in_s: Floats
    mix_out_s: Floats
    vocals_s: tuple[Floats | None, ...]
    stems: tuple[tuple[str, ...], ...]
    descriptors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """One track as the database has it; see `core.library.catalogue.models.TrackRow`."""

    id: str
    title: str
    artist: str | None
    camelot: str | None
    tempo_bpm: float | None
    energy: float | None
    integrated_loudness_lufs: float | None
    duration_s: float | None
    first_downbeat_s: float | None
    mix_in_start_s: float | None
    mix_in_end_s: float | None
    mix_out_start_s: float | None
    mix_out_end_s: float | None
    vocals_s: bytes | None
    stems: str
    descriptor_version: str | None
    descriptor_parts: str
    descriptors: bytes | None


def make_columns(rows: Sequence[ColumnRow]) -> LibraryColumns:
    """Make columns of rows, in their order."""
    return LibraryColumns(
        ids=tuple(row.id for row in rows),
        titles=tuple(row.title for row in rows),
        artists=tuple(row.artist for row in rows),
        camelot=tuple(row.camelot for row in rows),
        tempo_bpm=_floats([row.tempo_bpm for row in rows]),
        energy=_floats([row.energy for row in rows]),
        integrated_loudness_lufs=_floats([row.integrated_loudness_lufs for row in rows]),
        duration_s=_floats([row.duration_s for row in rows]),
        first_downbeat_s=_floats([row.first_downbeat_s for row in rows]),
        mix_in_s=_floats([(row.mix_in_start_s, row.mix_in_end_s) for row in rows], 2),
        mix_out_s=_floats([(row.mix_out_start_s, row.mix_out_end_s) for row in rows], 2),
        vocals_s=tuple(
            None
            if row.vocals_s is None
            else np.frombuffer(row.vocals_s, dtype="<f8").reshape(-1, 2)
            for row in rows
        ),
        stems=tuple(tuple(filter(None, row.stems.split(","))) for row in rows),
        descriptors=_stack_descriptors(rows),
    )


def _floats(values: Sequence[object], *width: int) -> Floats:
    # None becomes NaN.
    return np.array(values, dtype=np.float64).reshape(len(values), *width)


def _stack_descriptors(rows: Sequence[ColumnRow]) -> NDArray[np.float32]:
    versions = [row.descriptor_version for row in rows if _has_mixture(row)]
    if not versions:
        return np.zeros((len(rows), 0), dtype=np.float32)
    version = max(set(versions), key=lambda v: (versions.count(v), v))
    vectors: dict[int, NDArray[np.float32]] = {}
    for place, row in enumerate(rows):
        if row.descriptors is not None and row.descriptor_version == version and _has_mixture(row):
            n_parts = row.descriptor_parts.count(",") + 1
            size = len(row.descriptors) // n_parts
            vectors[place] = np.frombuffer(row.descriptors[:size], dtype="<f4")  # mixture is first
    n_features = len(next(iter(vectors.values())))
    stacked = np.full((len(rows), n_features), np.nan, dtype=np.float32)
    for place, vector in vectors.items():
        stacked[place] = vector
    return stacked


def _has_mixture(row: ColumnRow) -> bool:
    return row.descriptor_parts.split(",")[0] == MIXTURE
