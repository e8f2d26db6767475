"""Reasons for the score of a transition, as sentences."""

from collections.abc import Iterator, Sequence
from math import isnan

from core.analysis.harmony.camelot import relation
from core.playlist.drops import Mix
from core.playlist.harmony import CODES, RULES, UNKNOWN_KEY
from core.playlist.rating import STEP_RULES
from stemcrate.schemas.transitions import DroppedStem

NOTABLE_LOUDNESS_LU = 2.0
"""Step of loudness, in LU, from which it is mentioned: the gain has to be adjusted."""


def explain_harmony(mix: Mix) -> str:
    """Return both keys and their relation."""
    first, second = mix.outgoing.key[mix.out_row], mix.incoming.key[mix.in_row]
    if UNKNOWN_KEY in (first, second):
        return "key unknown: harmony not rated"
    rule = RULES[relation(CODES[first], CODES[second])]
    return f"{CODES[first]} → {CODES[second]}: {rule.words}"


def explain_tempo(mix: Mix, pitch_percent: float, octaves: float, max_pitch_percent: float) -> str:
    """Return both tempi and the pitch change; NaN for unknown values."""
    if isnan(pitch_percent):
        return "tempo unknown: pitch change not rated"
    outgoing_bpm = mix.outgoing.tempo_bpm[mix.out_row]
    incoming_bpm = mix.incoming.tempo_bpm[mix.in_row]
    words = f"{outgoing_bpm:.1f} → {incoming_bpm:.1f} BPM: {pitch_percent:+.1f} %"
    if octaves:
        words += ", half time" if octaves < 0 else ", double time"
    if abs(pitch_percent) > max_pitch_percent:
        words += f", beyond ±{max_pitch_percent:g} %"
    return words


def explain_steps(mix: Mix) -> Iterator[str]:
    """Return notable steps of energy and loudness; unknown ones are omitted."""
    first, second = mix.outgoing.energy[mix.out_row], mix.incoming.energy[mix.in_row]
    if abs(second - first) > STEP_RULES["energy"].free:
        yield f"energy {first:.3g} → {second:.3g}"
    outgoing_lufs = mix.outgoing.numbers["integrated_loudness_lufs"][mix.out_row]
    step_lu = mix.incoming.numbers["integrated_loudness_lufs"][mix.in_row] - outgoing_lufs
    if abs(step_lu) >= NOTABLE_LOUDNESS_LU:
        yield f"{abs(step_lu):.1f} LU {'louder' if step_lu > 0 else 'quieter'}: trim the gain"


def explain_times(mix: Mix) -> Iterator[str]:
    """Return where to mix out and in, and for how long."""
    if isnan(mix.overlap_s):
        return
    bars = mix.overlap_bars
    length = f"{mix.overlap_s:.1f} s" if bars is None else f"{bars} bar{'s' * (bars > 1)}"
    yield f"mix out at {_clock(mix.mix_out_s)}, in at {_clock(mix.mix_in_s)}, {length} together"


def explain_vocals(mix: Mix, clash_s: float) -> Iterator[str]:
    """Return the length of the vocal clash; nothing for NaN."""
    if clash_s > 0:
        yield f"{clash_s:.1f} s of both vocals at once"
    elif not isnan(clash_s) and mix.outgoing.vocals_out[mix.out_row].any():
        yield "no vocals clash"


def explain_drops(mix: Mix, drops: Sequence[DroppedStem]) -> Iterator[str]:
    """Return which stem of which track to drop, and when."""
    for drop in drops:
        is_outgoing = drop.track_id == mix.outgoing.ids[mix.out_row]
        yield (
            f"drop the {'outgoing' if is_outgoing else 'incoming'} {drop.stem} "
            f"from {_clock(drop.start_s)} to {_clock(drop.end_s)}"
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds * 10), 600)
    return f"{minutes}:{rest // 10:02d}.{rest % 10}"
