"""Transition between two tracks: score, reasons, mix points, clashes and stems to drop.

Conventions: scores are 0 to 1, higher is better; see `core.playlist.rating`. During the overlap the
incoming track plays at the tempo of the outgoing one; times are seconds of the track that they
belong to, as recorded.
"""

from math import isnan
from typing import Any

import numpy as np

from core.playlist import reasons
from core.playlist.drops import Mix, find_clashes, find_drops
from core.playlist.rating import rate_details, rate_outline
from core.playlist.table import TrackTable
from core.playlist.tempo import fold_octaves
from core.playlist.track import PlaylistTrack
from core.playlist.windows import Rows
from stemcrate.schemas.sets import DEFAULT_MAX_PITCH_PERCENT
from stemcrate.schemas.transitions import Transition


def rate_transition(
    outgoing: PlaylistTrack,
    incoming: PlaylistTrack,
    *,
    max_pitch_percent: float = DEFAULT_MAX_PITCH_PERCENT,
) -> Transition:
    """Rate and explain mixing from ``outgoing`` into ``incoming``.

    Raises ValueError for an invalid ``camelot``, and for timbre vectors of different lengths.
    """
    pair, rows = TrackTable.from_tracks([outgoing, incoming]), np.arange(2)
    return explain(pair, rows[:1], pair, rows[1:], max_pitch_percent=max_pitch_percent)[0]


def explain(
    outgoing: TrackTable,
    out_rows: Rows,
    incoming: TrackTable,
    in_rows: Rows,
    *,
    max_pitch_percent: float,
) -> list[Transition]:
    """Rate and explain pairs of tracks; ``out_rows`` and ``in_rows`` have the shape (n_pairs,)."""
    outline = rate_outline(
        outgoing, out_rows, incoming, in_rows, max_pitch_percent=max_pitch_percent
    )
    details = rate_details(outgoing, out_rows, incoming, in_rows, outline.pitch_change_percent)
    octaves = fold_octaves(outgoing.log_tempo[out_rows], incoming.log_tempo[in_rows])
    transitions = []
    for place, (out_row, in_row) in enumerate(zip(out_rows, in_rows, strict=True)):
        pitch_percent = float(outline.pitch_change_percent[place])
        mix = Mix(
            outgoing=outgoing,
            out_row=int(out_row),
            incoming=incoming,
            in_row=int(in_row),
            speed=1.0 if isnan(pitch_percent) else 1.0 + pitch_percent / 100.0,
            overlap_s=float(details.overlap_s[place]),
        )
        loudness_step_lu = reasons.loudness_step_lu(mix)
        clash_s = float(details.vocal_clash_s[place])
        drops = find_drops(mix, find_clashes(mix) if clash_s > 0 else [])
        steps: dict[str, Any] = {part: float(rated[place]) for part, rated in outline.steps.items()}
        transitions.append(
            Transition(
                from_id=outgoing.ids[mix.out_row],
                to_id=incoming.ids[mix.in_row],
                score=float(outline.score[place] + details.score[place]),
                harmony=float(outline.harmony[place]),
                tempo=float(outline.tempo[place]),
                timbre=float(details.timbre[place]),
                vocals=float(details.vocals[place]),
                **steps,
                loudness_step_lu=_known(loudness_step_lu),
                loudness_of=None if isnan(loudness_step_lu) else reasons.loudness_basis(mix),
                pitch_change_percent=_known(pitch_percent),
                mix_out_s=_known(mix.mix_out_s),
                mix_in_s=_known(mix.mix_in_s) or 0.0,
                overlap_s=_known(mix.overlap_s),
                overlap_bars=mix.overlap_bars,
                vocal_clash_s=_known(clash_s),
                drops=drops,
                reasons=(
                    reasons.explain_harmony(mix),
                    reasons.explain_tempo(
                        mix, pitch_percent, float(octaves[place]), max_pitch_percent
                    ),
                    *reasons.explain_steps(mix),
                    *reasons.explain_times(mix),
                    *reasons.explain_vocals(mix, clash_s),
                    *reasons.explain_drops(mix, drops),
                ),
            )
        )
    return transitions


def _known(value: float) -> float | None:
    return None if isnan(value) else value
