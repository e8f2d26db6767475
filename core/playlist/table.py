"""Tracks as columns, from which thousands of transitions are scored at once.

A `TrackTable` is made once, from tracks or from a library's columns, and can be kept; planning and
searching only read it. NaN stands for unknown values, -1 for an unknown artist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.library.catalogue.columns import TrackColumns
from core.playlist.harmony import UNKNOWN_KEY, codes_to_keys
from core.playlist.tempo import log_tempo
from core.playlist.track import PlaylistTrack
from core.playlist.windows import (
    Floats,
    Rows,
    bar_lengths_s,
    complete_windows,
    merge_passages,
    nearest_downbeat_s,
    passages_in,
)
from stemcrate.schemas.search import PLANNED
from stemcrate.schemas.transitions import TrackId


@dataclass(frozen=True, slots=True)
class TrackTable:
    """Columns of n tracks; every array has n rows.

    Make one with `from_tracks` or `from_columns`.

    Parameters
    ----------
    ids, titles : of the tracks; ids are unique for planning.
    stems : names of the available stems, a tuple for each track.
    key : indices in `core.playlist.harmony.CODES`.
    numbers : by the names of `stemcrate.schemas.search.PlannedFacts`, one for each track.
    log_tempo, bar_s : one number for each track.
    artist : a number for each artist.
    timbre : shape (n, n_features), float32, rows of length 1 or NaN; n_features may be 0.
    mix_in_s, mix_out_s : shape (n, 2), windows (`core.playlist.windows`).
    play_s : from mixing in to mixing out.
    tail_s : from mixing out to the end.
    vocals_in, vocals_out : shape (n, n_most, 2), vocal passages in seconds from the start of the
        windows.
    has_vocals : whether the vocals are known.
    is_delivered : whether the loudness is that of a delivered file.
    """

    ids: tuple[TrackId, ...]
    titles: tuple[str, ...]
    stems: tuple[tuple[str, ...], ...]
    key: NDArray[np.intp]
    numbers: Mapping[str, Floats]
    log_tempo: Floats
    bar_s: Floats
    artist: NDArray[np.intp]
    timbre: NDArray[np.float32]
    mix_in_s: Floats
    mix_out_s: Floats
    play_s: Floats
    tail_s: Floats
    vocals_in: Floats
    vocals_out: Floats
    has_vocals: NDArray[np.bool_]
    is_delivered: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def tempo_bpm(self) -> Floats:
        """Tempi, shape (n,)."""
        return self.numbers["tempo_bpm"]

    @property
    def is_unmixable(self) -> NDArray[np.bool_]:
        """Whether the tempo or the key is unknown, shape (n,); such tracks are planned last."""
        is_unknown: NDArray[np.bool_] = np.isnan(self.log_tempo) | (self.key == UNKNOWN_KEY)
        return is_unknown

    @property
    def energy(self) -> Floats:
        """Energies, 1 to 10, shape (n,)."""
        return self.numbers["energy"]

    def take(self, rows: Rows) -> "TrackTable":
        """Return the table of some of its rows, in that order."""
        return TrackTable(**{f.name: _take(getattr(self, f.name), rows) for f in fields(self)})

    @classmethod
    def from_columns(cls, columns: TrackColumns) -> Self:
        """Make a table of columns.

        A tempo or duration of zero or less, and a descriptor vector of zeros, count as unknown.
        ``first_downbeat_s`` is used for tracks whose downbeats are not known.

        Raises
        ------
        ValueError : a column has another length than ``ids``, or a text is not a Camelot code.
        """
        n = len(columns.ids)
        numbers = {name: _column(values, n) for name, values in columns.numbers.items()}
        duration_s = np.where(numbers["duration_s"] > 0, numbers["duration_s"], np.nan)
        bar_s, mix_in_s, mix_out_s = _make_windows(columns, numbers, duration_s)
        passages = merge_passages(*_join_passages(columns.vocals_s))
        return cls(
            ids=columns.ids,
            titles=columns.titles,
            stems=columns.stems,
            key=codes_to_keys(columns.camelot),
            numbers=numbers,
            log_tempo=log_tempo(numbers["tempo_bpm"]),
            bar_s=bar_s,
            artist=_number_artists(columns.artists),
            timbre=_unit_rows(columns.descriptors, n),
            mix_in_s=mix_in_s,
            mix_out_s=mix_out_s,
            play_s=np.maximum(mix_out_s[:, 0] - mix_in_s[:, 0], 1.0),
            tail_s=np.fmax(duration_s, mix_out_s[:, 1]) - mix_out_s[:, 0],
            vocals_in=passages_in(mix_in_s, *passages),
            vocals_out=passages_in(mix_out_s, *passages),
            has_vocals=np.array([sung is not None for sung in columns.vocals_s], np.bool_),
            is_delivered=np.array(columns.is_delivered or [False] * n, np.bool_),
        )

    @classmethod
    def from_tracks(cls, tracks: Sequence[PlaylistTrack]) -> Self:
        """Make a table from tracks.

        Raises ValueError for a text that is not a Camelot code, and for timbre vectors of several
        lengths.
        """
        return cls.from_columns(
            TrackColumns(
                ids=tuple(track.id for track in tracks),
                titles=tuple(track.title for track in tracks),
                artists=tuple(track.artist for track in tracks),
                camelot=tuple(track.camelot for track in tracks),
                numbers={
                    name: np.array([getattr(track, name) for track in tracks], np.float64)
                    for name in PLANNED
                },
                mix_in_s=_windows([track.mix_in_s for track in tracks]),
                mix_out_s=_windows([track.mix_out_s for track in tracks]),
                vocals_s=tuple(_passages(track) for track in tracks),
                stems=tuple(track.stems for track in tracks),
                descriptors=_stack_timbres(tracks),
                downbeats_s=tuple(track.downbeats_s for track in tracks),
                is_delivered=tuple(track.is_delivered for track in tracks),
            )
        )


def _take(values: Any, rows: Rows) -> Any:
    if isinstance(values, Mapping):
        return {name: column[rows] for name, column in values.items()}
    return tuple(values[row] for row in rows) if isinstance(values, tuple) else values[rows]


def _make_windows(
    columns: TrackColumns, numbers: Mapping[str, Floats], duration_s: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the length of a bar, and the windows to mix in and out, on downbeats if known."""
    n = len(columns.ids)
    bar_s, first_s = bar_lengths_s(numbers["tempo_bpm"]), numbers["first_downbeat_s"].copy()
    bars = [(row, beats) for row, beats in enumerate(columns.downbeats_s) if len(beats) > 1]
    for row, downbeats in bars:
        first_s[row], bar_s[row] = downbeats[0], np.median(np.diff(downbeats))
    known = (_column(columns.mix_in_s, n, 2), _column(columns.mix_out_s, n, 2))
    windows = complete_windows(*known, duration_s, first_s, bar_s)
    for window in windows:
        for row, downbeats in bars:
            if not np.isnan(window[row, 0]):
                window[row, 0] = nearest_downbeat_s(window[row, 0], downbeats)
    return bar_s, *windows


def _join_passages(vocals_s: Sequence[Floats | None]) -> tuple[Floats, Rows]:
    """Return all sung passages, shape (n_passages, 2), and the row of the track of each."""
    sung = [(row, passages) for row, passages in enumerate(vocals_s) if passages is not None]
    rows = np.array([row for row, _ in sung], np.intp)
    return (
        np.concatenate([*(passages for _, passages in sung), np.zeros((0, 2))]),
        np.repeat(rows, [len(passages) for _, passages in sung]),
    )


def _column(values: Floats, n: int, *width: int) -> Floats:
    column = np.array(values, dtype=np.float64)
    if column.shape != (n, *width):
        raise ValueError(f"a column of shape {column.shape} in a table of {n} tracks")
    column[np.isinf(column)] = np.nan
    return column


def _passages(track: PlaylistTrack) -> Floats | None:
    return None if track.vocals_s is None else np.array(track.vocals_s, float).reshape(-1, 2)


def _windows(values: Sequence[tuple[float, float] | None]) -> Floats:
    unknown = (np.nan, np.nan)
    return np.array([value or unknown for value in values], dtype=np.float64).reshape(-1, 2)


def _number_artists(artists: Sequence[str | None]) -> NDArray[np.intp]:
    numbers: dict[str, int] = {}
    return np.array(
        [
            numbers.setdefault(artist.casefold().strip(), len(numbers)) if artist else -1
            for artist in artists
        ],
        dtype=np.intp,
    )


def _stack_timbres(tracks: Sequence[PlaylistTrack]) -> NDArray[np.float32]:
    known = {row: track.timbre for row, track in enumerate(tracks) if track.timbre is not None}
    if not known:
        return np.zeros((len(tracks), 0), np.float32)
    stacked = np.full((len(tracks), *next(iter(known.values())).shape), np.nan, np.float32)
    for row, vector in known.items():
        if vector.shape != stacked.shape[1:]:
            raise ValueError("timbre vectors differ in length")
        stacked[row] = vector
    return stacked


def _unit_rows(vectors: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    if len(vectors) != n:
        raise ValueError(f"{len(vectors)} timbre vectors in a table of {n} tracks")
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    lengths = np.where(lengths > 0, lengths, np.nan).astype(np.float32)
    unit: NDArray[np.float32] = vectors.astype(np.float32) / lengths[:, None]
    return unit
