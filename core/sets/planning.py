"""Sets from the library: planned, kept as playlists, put in another order."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

import numpy as np

from core.errors import InvalidOption
from core.library.catalogue.columns import TrackColumns
from core.library.catalogue.summary import TrackSummary
from core.library.library import Library
from core.library.records.record import PlaylistRecord
from core.playlist.compatible import compatible
from core.playlist.plan import SetPlan, plan_set, rate_order
from core.playlist.request import SetRequest
from core.playlist.table import TrackTable
from core.playlist.windows import Rows
from stemcrate.schemas.playlists import PlaylistRequest
from stemcrate.schemas.sets import DEFAULT_MAX_PITCH_PERCENT, SetDescription, SetWishes
from stemcrate.schemas.transitions import Transition


class SetPlanner:
    """Plans with the tracks of a library; keeps their table until the library changes."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._kept: tuple[TrackColumns, TrackTable] | None = None

    def compatible(
        self,
        track_id: str,
        *,
        limit: int = 20,
        max_pitch_percent: float = DEFAULT_MAX_PITCH_PERCENT,
    ) -> list[tuple[TrackSummary, Transition]]:
        """Find the tracks that mix well after one, best first, with scores and reasons.

        Raises
        ------
        TrackNotFound : there is no such track.
        InvalidOption : ``max_pitch_percent`` is not above 0.
        """
        if not 0 < max_pitch_percent < 100:
            raise InvalidOption(
                f"max_pitch_percent is {max_pitch_percent:g}.",
                hint="Give a number between 0 and 100.",
                field="max_pitch_percent",
            )
        table = self._table()
        outgoing = table.take(self._rows(table, [track_id]))
        found = compatible(outgoing, table, limit=limit, max_pitch_percent=max_pitch_percent)
        steps = {str(step.to_id): step for step in found}
        return [(summary, steps[summary.id]) for summary in self._library.summaries([*steps])]

    def create(self, wishes: PlaylistRequest) -> PlaylistRecord:
        """Plan a set, or take the tracks as given, and keep it as a playlist.

        Raises
        ------
        TrackNotFound : the library does not know a track of ``tracks`` or ``among``.
        InvalidOption : there is no track to choose from, or the request is contradictory.
        """
        request = _to_request(wishes)
        if wishes.tracks is not None:
            described = self._describe_order(wishes.tracks, request)
            return self._library.playlists.create(wishes.name, wishes.tracks, described)
        table = self._table()
        if wishes.among is not None:
            table = table.take(self._rows(table, wishes.among))
        if not len(table):
            raise InvalidOption(
                "There is no track to plan a set with.",
                hint="Add some: POST /library/tracks, or 'stemcrate library add FOLDER'.",
                field="tracks",
            )
        plan = plan_set(table, request)
        ids = [str(track_id) for track_id in plan.ids]
        return self._library.playlists.create(wishes.name, ids, _describe(plan, request))

    def reorder(
        self,
        playlist_id: str,
        track_ids: Sequence[str],
        *,
        versions: Collection[str] | None = None,
    ) -> PlaylistRecord:
        """Put a playlist into another order, and rate it by its wishes; tracks may come and go.

        Parameters
        ----------
        versions : of the playlist that the order was made for; None: any.

        Raises
        ------
        PlaylistNotFound : there is no such playlist.
        TrackNotFound : the library does not know a track.
        PlaylistChanged : the playlist has another version.
        """
        wishes = self._library.playlists.get(playlist_id).plan.request or SetWishes()
        plan = self._describe_order(track_ids, _to_request(wishes))

        def change(record: PlaylistRecord) -> None:
            record.track_ids = list(track_ids)
            record.plan = plan

        return self._library.playlists.change(playlist_id, change, versions=versions)

    def _describe_order(self, track_ids: Sequence[str], request: SetRequest) -> SetDescription:
        table = self._table()
        self._rows(table, track_ids)
        return _describe(rate_order(table, track_ids, request), request)

    def _rows(self, table: TrackTable, track_ids: Sequence[str]) -> Rows:
        places = {track_id: row for row, track_id in enumerate(table.ids)}
        for track_id in track_ids:
            if track_id not in places:
                self._library.summary(track_id)  # raises
        return np.array([places[track_id] for track_id in track_ids], dtype=np.intp)

    def _table(self) -> TrackTable:
        columns = self._library.columns()
        kept = self._kept
        if kept is None or kept[0] is not columns:
            kept = columns, TrackTable.from_columns(columns)
            self._kept = kept
        return kept[1]


def _describe(plan: SetPlan, request: SetRequest) -> SetDescription:
    described = plan.describe()
    described.request = SetWishes.model_validate(asdict(request))
    return described


def _to_request(wishes: SetWishes) -> SetRequest:
    curve = wishes.curve
    return SetRequest(
        duration_s=wishes.duration_s,
        n_tracks=wishes.n_tracks,
        curve=tuple(curve) if isinstance(curve, list) else curve,
        start=wishes.start,
        end=wishes.end,
        must_play=tuple(wishes.must_play),
        never=tuple(wishes.never),
        artist_gap=wishes.artist_gap,
        max_pitch_percent=wishes.max_pitch_percent,
    )
