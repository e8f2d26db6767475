"""Tracks to plan sets with, and the value of a set reckoned a second time, path by path."""

from functools import lru_cache
from itertools import permutations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.playlist.harmony import CODES
from core.playlist.request import SetRequest
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack
from core.playlist.transition import rate_transition
from stemcrate.schemas.transitions import Transition

Paths = NDArray[np.intp]


@st.composite
def playlist_tracks(draw: st.DrawFn, *, min_size: int = 0, max_size: int) -> list[PlaylistTrack]:
    """Draw tracks of which anything may be unknown."""
    n = draw(st.integers(min_size, max_size))
    return [draw(playlist_track(str(number))) for number in range(n)]


@st.composite
def playlist_track(draw: st.DrawFn, track_id: str) -> PlaylistTrack:
    def maybe(low: float, high: float) -> float | None:
        return draw(st.none() | st.floats(low, high))

    duration_s = maybe(1.0, 400.0)
    sung = draw(st.none() | st.lists(st.tuples(st.floats(0, 390), st.floats(0.1, 60)), max_size=4))
    return PlaylistTrack(
        id=track_id,
        title=f"T{track_id}",
        artist=draw(st.none() | st.sampled_from(["X", "Y", "Z"])),
        tempo_bpm=maybe(60.0, 200.0),
        camelot=draw(st.none() | st.sampled_from(CODES)),
        energy=maybe(1.0, 10.0),
        duration_s=duration_s,
        integrated_loudness_lufs=maybe(-30.0, -3.0),
        timbre=np.array(draw(st.tuples(st.floats(-1, 1), st.floats(-1, 1))), np.float32),
        vocals_s=None if sung is None else tuple((start, start + length) for start, length in sung),
        first_downbeat_s=maybe(0.0, 5.0),
        stems=draw(st.sampled_from([(), ("vocals", "other")])),
    )


class Reckoning:
    """What sets of tracks are worth, from single transitions and the words of the documents."""

    def __init__(self, tracks: list[PlaylistTrack], request: SetRequest) -> None:
        self.request = request
        self.n = len(tracks)
        limit = request.max_pitch_percent
        steps = [[rate_transition(a, b, max_pitch_percent=limit) for b in tracks] for a in tracks]
        self.score = np.array([[step.score for step in row] for row in steps])
        self.is_beyond = np.array([[_is_beyond(step, limit) for step in row] for row in steps])
        self.is_last = np.array([not t.tempo_bpm or t.camelot is None for t in tracks])
        self.artist = [track.artist for track in tracks]
        self.energy = np.array([np.nan if t.energy is None else t.energy for t in tracks])
        table = TrackTable.from_tracks(tracks)
        usual_s = 240.0 if np.isnan(table.play_s).all() else np.nanmedian(table.play_s)
        self.play_s = np.where(np.isnan(table.play_s), usual_s, table.play_s)
        self.tail_s = np.where(np.isnan(table.tail_s), 0.0, table.tail_s)

    def rate(self, paths: Paths) -> NDArray[np.float64]:
        """Rate paths of one length, shape (n_paths, n_tracks)."""
        n = paths.shape[1]
        transitions = self.score[paths[:, :-1], paths[:, 1:]].sum(axis=1)
        broken = self.is_beyond[paths[:, :-1], paths[:, 1:]].sum(axis=1)
        is_last = self.is_last[paths]
        broken = broken + (is_last[:, :-1] & ~is_last[:, 1:]).sum(axis=1)
        for apart in range(1, min(self.request.artist_gap, n)):
            for place in range(n - apart):
                artists = [
                    (self.artist[a], self.artist[b]) for a, b in paths[:, [place, place + apart]]
                ]
                broken = broken + np.array([a is not None and a == b for a, b in artists])
        weight = 0.35 if self.request.curve is not None else 0.0
        fits = self._fits(paths).sum(axis=1) if weight else np.zeros(len(paths))
        counted = (n - 1) * (1 - weight) + n * weight
        worth = (
            ((1 - weight) * transitions + weight * fits - 1000 * broken) / counted
            if counted
            else 1.0
        )
        if self.request.duration_s is None:
            return np.zeros(len(paths)) + worth
        lasts = self.play_s[paths].sum(axis=1) + self.tail_s[paths[:, -1]]
        miss = np.abs(lasts / self.request.duration_s - 1)
        return worth - 4 * miss - 1e5 * np.maximum(miss - 0.1, 0)

    def _fits(self, paths: Paths) -> NDArray[np.float64]:
        assert isinstance(self.request.curve, tuple)
        places, energies = zip(*self.request.curve, strict=True)
        if self.request.duration_s is None:
            progress = np.broadcast_to(
                (np.arange(paths.shape[1]) + 0.5) / paths.shape[1], paths.shape
            )
        else:
            play_s = self.play_s[paths]
            middle_s = play_s.cumsum(axis=1) - play_s / 2
            progress = np.minimum(middle_s / self.request.duration_s, 1)
        missed = self.energy[paths] - np.interp(progress, places, energies)
        return np.where(np.isnan(missed), 0.5, 1 / (1 + (missed / 2) ** 2))


def _is_beyond(step: Transition, limit: float) -> bool:
    return step.pitch_change_percent is not None and abs(step.pitch_change_percent) > limit


@lru_cache
def all_paths(n: int, length: int) -> Paths:
    """Give every path of some length through n tracks."""
    return np.array(list(permutations(range(n), length)), np.intp).reshape(-1, length)
