"""Clashes of two overlapping tracks, and the stems to drop."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from core.playlist.harmony import HARMONY
from core.playlist.table import TrackTable
from stemcrate.schemas.transitions import DroppedStem, TrackId

_HARMONY_STEM = "other"


@dataclass(frozen=True, slots=True)
class Mix:
    """Two overlapping tracks, as rows of tables.

    Parameters
    ----------
    speed : of the incoming track during the overlap; 1 is as recorded.
    overlap_s : length of the overlap in seconds of the outgoing track; NaN if unknown.
    """

    outgoing: TrackTable
    out_row: int
    incoming: TrackTable
    in_row: int
    speed: float
    overlap_s: float

    @property
    def mix_out_s(self) -> float:
        """Start of the overlap in the outgoing track, in seconds; NaN if unknown."""
        return float(self.outgoing.mix_out_s[self.out_row, 0])

    @property
    def mix_in_s(self) -> float:
        """Start of the overlap in the incoming track, in seconds; NaN if unknown."""
        return float(self.incoming.mix_in_s[self.in_row, 0])

    @property
    def overlap_bars(self) -> int | None:
        """Whole bars of the outgoing track in the overlap; None if less than one."""
        bars = self.overlap_s / float(self.outgoing.bar_s[self.out_row])
        return None if isnan(bars) else round(bars) or None


def find_clashes(mix: Mix) -> list[tuple[float, float]]:
    """Find vocal clashes: (start, end) in seconds of the outgoing track from the mix's start."""
    clashes = []
    for out_start, out_end in mix.outgoing.vocals_out[mix.out_row]:
        for in_start, in_end in mix.incoming.vocals_in[mix.in_row] / mix.speed:
            start, end = max(out_start, in_start), min(out_end, in_end, mix.overlap_s)
            if end > start:
                clashes.append((float(start), float(end)))
    return sorted(clashes)


def find_drops(mix: Mix, clashes: Sequence[tuple[float, float]]) -> tuple[DroppedStem, ...]:
    """Choose the stems to drop: vocals of one track, or pitched stems of a clashing key.

    The outgoing vocals are dropped from the first clash on, as that song is ending; without such a
    stem, the incoming vocals are muted until the last clash ends. Where the keys clash, the pitched
    stems of the incoming track are muted until the mix ends. Only available stems are named.
    """
    drops = []
    if clashes:
        first_s, last_s = clashes[0][0], max(end for _, end in clashes)
        if "vocals" in mix.outgoing.stems[mix.out_row]:
            start_s, end_s = mix.mix_out_s + first_s, mix.mix_out_s + mix.overlap_s
            drops.append(_drop(mix.outgoing.ids[mix.out_row], "vocals", start_s, end_s))
        elif "vocals" in mix.incoming.stems[mix.in_row]:
            end_s = mix.mix_in_s + last_s * mix.speed
            drops.append(_drop(mix.incoming.ids[mix.in_row], "vocals", mix.mix_in_s, end_s))
    is_key_clash = not HARMONY[mix.outgoing.key[mix.out_row], mix.incoming.key[mix.in_row]]
    if (
        is_key_clash
        and not isnan(mix.overlap_s)
        and _HARMONY_STEM in mix.incoming.stems[mix.in_row]
    ):
        end_s = mix.mix_in_s + mix.overlap_s * mix.speed
        drops.append(_drop(mix.incoming.ids[mix.in_row], _HARMONY_STEM, mix.mix_in_s, end_s))
    return tuple(drops)


def _drop(track_id: TrackId, stem: str, start_s: float, end_s: float) -> DroppedStem:
    return DroppedStem(track_id=track_id, stem=stem, start_s=start_s, end_s=end_s)
