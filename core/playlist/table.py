"""Tracks as columns: what thousands of transitions are scored from at once.

A `TrackTable` is made once, from tracks or from a library's columns, and can be kept; planning and
searching only read it. NaN stands for what is not known, -1 for an unknown artist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.playlist.harmony import codes_to_keys
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
from stemcrate.schemas.transitions import TrackId


@dataclass(frozen=True, slots=True)
class Vocals:
    """What is sung in the tracks of a table.

    Parameters
    ----------
    passages_s : shape (n_passages, 2), start and end of each passage in seconds.
    of_track : shape (n_passages,), the row of the track that each belongs to.
    is_known : shape (n_tracks,), whether it is known who sings where; a track that is known and
        has no passage is instrumental.
    """

    passages_s: Floats
    of_track: Rows
    is_known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TrackTable:
    """Columns of n tracks; every array has n rows.

    Make one with `from_tracks` or `from_columns`.

    Parameters
    ----------
    ids, titles : of the tracks; to plan with they are unique.
    stems : names of the stems that lie at hand, a tuple a track.
    key : places in `core.playlist.harmony.CODES`.
    tempo_bpm, log_tempo, energy, loudness_lufs, bar_s : one number a track.
    artist : a number an artist.
    timbre : shape (n, n_features), float32, rows of length 1 or NaN; n_features may be 0.
    mix_in_s, mix_out_s : shape (n, 2), windows (`core.playlist.windows`).
    play_s : from mixing in to mixing out.
    tail_s : from mixing out to the end.
    vocals_in, vocals_out : shape (n, n_most, 2), passages of song from the start of the windows.
    has_vocals : whether it is known who sings where.
    """

    ids: tuple[TrackId, ...]
    titles: tuple[str, ...]
    stems: tuple[tuple[str, ...], ...]
    key: NDArray[np.intp]
    tempo_bpm: Floats
    log_tempo: Floats
    energy: Floats
    loudness_lufs: Floats
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

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Rows) -> "TrackTable":
        """Give the table of some of its rows, in that order."""
        columns: dict[str, Any] = {}
        for column in fields(self):
            values = getattr(self, column.name)
            columns[column.name] = (
                tuple(values[row] for row in rows) if isinstance(values, tuple) else values[rows]
            )
        return TrackTable(**columns)

    @classmethod
    def from_columns(
        cls,
        ids: Sequence[TrackId],
        *,
        titles: Sequence[str] | None = None,
        artists: Sequence[str | None] | None = None,
        camelot: Sequence[str | None] | None = None,
        tempo_bpm: Floats | None = None,
        energy: Floats | None = None,
        loudness_lufs: Floats | None = None,
        duration_s: Floats | None = None,
        downbeats_s: Sequence[Sequence[float]] | None = None,
        first_downbeat_s: Floats | None = None,
        mix_in_s: Floats | None = None,
        mix_out_s: Floats | None = None,
        timbre: NDArray[np.float32] | None = None,
        vocals: Vocals | None = None,
        stems: Sequence[tuple[str, ...]] | None = None,
    ) -> Self:
        """Make a table of a library's columns.

        Parameters
        ----------
        ids : of the n tracks; every other column has n rows, or is None where nothing is known.
        tempo_bpm, energy, loudness_lufs, duration_s : shape (n,); NaN for unknown, and zero or
            less for an unknown tempo or duration.
        downbeats_s : the downbeats of each track, rising; empty for unknown.
        first_downbeat_s : shape (n,), used for tracks whose downbeats are not known.
        mix_in_s, mix_out_s : shape (n, 2); see `core.playlist.windows.complete_windows`.
        timbre : shape (n, n_features); a row of NaN or of zeros for unknown.

        Raises
        ------
        ValueError : a column has another length, or a text is no Camelot code.
        """
        n = len(ids)
        tempo, duration = _column(tempo_bpm, n), _column(duration_s, n)
        duration = np.where(duration > 0, duration, np.nan)
        bar_s, first = bar_lengths_s(tempo), _column(first_downbeat_s, n)
        bars = [*enumerate(downbeats_s or ())]
        for row, downbeats in bars:
            if len(downbeats) > 1:
                first[row], bar_s[row] = downbeats[0], np.median(np.diff(downbeats))
        mix_in, mix_out = complete_windows(
            _column(mix_in_s, n, 2), _column(mix_out_s, n, 2), duration, first, bar_s
        )
        for windows in (mix_in, mix_out):
            for row, downbeats in bars:
                if len(downbeats) > 1 and not np.isnan(windows[row, 0]):
                    windows[row, 0] = nearest_downbeat_s(windows[row, 0], downbeats)
        sung = vocals or Vocals(np.zeros((0, 2)), np.zeros(0, np.intp), np.zeros(n, np.bool_))
        passages = merge_passages(sung.passages_s, sung.of_track)
        return cls(
            ids=tuple(ids),
            titles=tuple(titles) if titles is not None else ("",) * n,
            stems=tuple(stems) if stems is not None else ((),) * n,
            key=codes_to_keys(camelot if camelot is not None else [None] * n),
            tempo_bpm=tempo,
            log_tempo=log_tempo(tempo),
            energy=_column(energy, n),
            loudness_lufs=_column(loudness_lufs, n),
            bar_s=bar_s,
            artist=_number_artists(artists if artists is not None else [None] * n),
            timbre=_unit_rows(timbre, n),
            mix_in_s=mix_in,
            mix_out_s=mix_out,
            play_s=np.maximum(mix_out[:, 0] - mix_in[:, 0], 1.0),
            tail_s=np.fmax(duration, mix_out[:, 1]) - mix_out[:, 0],
            vocals_in=passages_in(mix_in, *passages),
            vocals_out=passages_in(mix_out, *passages),
            has_vocals=sung.is_known,
        )

    @classmethod
    def from_tracks(cls, tracks: Sequence[PlaylistTrack]) -> Self:
        """Make a table of tracks.

        Raises ValueError for a text that is no Camelot code, and for timbre vectors of several
        lengths.
        """
        sung = [
            (row, passage) for row, track in enumerate(tracks) for passage in track.vocals_s or ()
        ]
        return cls.from_columns(
            [track.id for track in tracks],
            titles=[track.title for track in tracks],
            artists=[track.artist for track in tracks],
            camelot=[track.camelot for track in tracks],
            tempo_bpm=_floats([track.tempo_bpm for track in tracks]),
            energy=_floats([track.energy for track in tracks]),
            loudness_lufs=_floats([track.integrated_loudness_lufs for track in tracks]),
            duration_s=_floats([track.duration_s for track in tracks]),
            downbeats_s=[track.downbeats_s for track in tracks],
            first_downbeat_s=_floats([track.first_downbeat_s for track in tracks]),
            mix_in_s=_windows([track.mix_in_s for track in tracks]),
            mix_out_s=_windows([track.mix_out_s for track in tracks]),
            timbre=_stack_timbres(tracks),
            vocals=Vocals(
                passages_s=np.array([passage for _, passage in sung], float).reshape(-1, 2),
                of_track=np.array([row for row, _ in sung], dtype=np.intp),
                is_known=np.array([track.vocals_s is not None for track in tracks], dtype=np.bool_),
            ),
            stems=[track.stems for track in tracks],
        )


def _column(values: Floats | None, n: int, *width: int) -> Floats:
    if values is None:
        return np.full((n, *width), np.nan)
    column = np.array(values, dtype=np.float64)
    if column.shape != (n, *width):
        raise ValueError(f"a column of shape {column.shape} in a table of {n} tracks")
    column[np.isinf(column)] = np.nan
    return column


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


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


def _stack_timbres(tracks: Sequence[PlaylistTrack]) -> NDArray[np.float32] | None:
    known = {row: track.timbre for row, track in enumerate(tracks) if track.timbre is not None}
    if not known:
        return None
    stacked = np.full((len(tracks), *next(iter(known.values())).shape), np.nan, np.float32)
    for row, vector in known.items():
        if vector.shape != stacked.shape[1:]:
            raise ValueError("timbre vectors of several lengths in one table")
        stacked[row] = vector
    return stacked


def _unit_rows(vectors: NDArray[np.float32] | None, n: int) -> NDArray[np.float32]:
    if vectors is None:
        return np.zeros((n, 0), np.float32)
    if len(vectors) != n:
        raise ValueError(f"{len(vectors)} timbre vectors in a table of {n} tracks")
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    lengths = np.where(lengths > 0, lengths, np.nan).astype(np.float32)
    unit: NDArray[np.float32] = vectors.astype(np.float32) / lengths[:, None]
    return unit
