"""Tracks as columns."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from core.library.catalogue.columns import TrackColumns
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack
from core.playlist.transition import explain, rate_transition
from stemcrate.schemas.search import PLANNED
from tests.set_planning import playlist_tracks


@settings(max_examples=50, deadline=None)
@given(playlist_tracks(min_size=2, max_size=6))
def test_a_pair_is_rated_the_same_alone_and_among_others(tracks: list[PlaylistTrack]) -> None:
    """Padding for the track that sings most must not change what the others are worth."""
    table = TrackTable.from_tracks(tracks)
    out_rows = np.repeat(np.arange(len(tracks)), len(tracks))
    in_rows = np.tile(np.arange(len(tracks)), len(tracks))
    steps = explain(table, out_rows, table, in_rows, max_pitch_percent=6.0)
    for step, out_row, in_row in zip(steps, out_rows, in_rows, strict=True):
        alone = rate_transition(tracks[out_row], tracks[in_row])
        assert step == alone
        assert 0 <= step.score <= 1 + 1e-9


def test_artists_are_the_same_whatever_their_capitals() -> None:
    names = ["DJ Ö", "dj ö ", None, "", "Other"]
    tracks = [PlaylistTrack(str(number), artist=name) for number, name in enumerate(names)]
    assert TrackTable.from_tracks(tracks).artist.tolist() == [0, 0, -1, -1, 1]


def test_taking_rows_takes_them_in_every_column() -> None:
    tracks = [PlaylistTrack(str(n), tempo_bpm=100.0 + n, stems=(str(n),)) for n in range(4)]
    taken = TrackTable.from_tracks(tracks).take(np.array([3, 1]))
    assert (taken.ids, taken.stems) == (("3", "1"), (("3",), ("1",)))
    assert taken.tempo_bpm.tolist() == [103.0, 101.0]


def test_an_empty_table_is_a_table() -> None:
    assert len(TrackTable.from_tracks([])) == 0


TWO = TrackColumns(
    ids=("a", "b"),
    titles=("", ""),
    artists=(None, None),
    camelot=(None, None),
    numbers={name: np.full(2, np.nan) for name in PLANNED},
    mix_in_s=np.full((2, 2), np.nan),
    mix_out_s=np.full((2, 2), np.nan),
    vocals_s=(None, None),
    stems=((), ()),
    descriptors=np.zeros((2, 0), np.float32),
)


@pytest.mark.parametrize(
    "columns",
    [
        replace(TWO, numbers={**TWO.numbers, "tempo_bpm": np.ones(3)}),
        replace(TWO, mix_in_s=np.ones((2, 3))),
        replace(TWO, descriptors=np.ones((1, 4), np.float32)),
        replace(TWO, camelot=("8A", "8C")),
    ],
)
def test_columns_that_do_not_fit_are_errors(columns: TrackColumns) -> None:
    """Broadcasting would hide a column of the wrong length."""
    with pytest.raises(ValueError):
        TrackTable.from_columns(columns)


def test_timbres_are_of_one_length() -> None:
    timbres = (np.ones(2, np.float32), np.ones(3, np.float32))
    tracks = [PlaylistTrack(str(n), timbre=timbre) for n, timbre in enumerate(timbres)]
    with pytest.raises(ValueError, match="differ in length"):
        TrackTable.from_tracks(tracks)
