"""Reasons for the score of a transition, as sentences."""

from collections.abc import Iterator, Sequence
from math import isnan

from core.analysis.harmony.camelot import relation
from core.playlist.drops import Mix
from core.playlist.harmony import CODES, RULES, UNKNOWN_KEY
from core.playlist.rating import STEP_RULES
from stemcrate.schemas.transitions import DroppedStem, LoudnessBasis

NOTABLE_LOUDNESS_LU = 2.0
"""Step of loudness, in LU, from which it is mentioned: the gain has to be adjusted."""

_LOUDNESS = STEP_RULES["loudness"].fact
_BASES: dict[LoudnessBasis, str] = {
    "delivered": "delivered files",
    "source": "source files",
    "mixed": "a delivered against a source file",
}


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
    words = f"{outgoing_bpm:.1f} → {incoming_bpm:.1f} BPM: {_tell_pitch(pitch_percent)}"
    if octaves:
        words += f", counted in {'half' if octaves < 0 else 'double'} time"
    if abs(pitch_percent) > max_pitch_percent:
        words += f", beyond ±{max_pitch_percent:g} %"
    return words


def _tell_pitch(percent: float) -> str:
    change = signed(percent)
    return f"play the incoming track at {change} %" if float(change[1:]) else "no pitch change"


def explain_steps(mix: Mix) -> Iterator[str]:
    """Return notable steps of energy and loudness; unknown ones are omitted."""
    first, second = mix.outgoing.energy[mix.out_row], mix.incoming.energy[mix.in_row]
    if abs(second - first) > STEP_RULES["energy"].free:
        yield f"energy {first:.3g} → {second:.3g}"
    step_lu = loudness_step_lu(mix)
    if abs(step_lu) >= NOTABLE_LOUDNESS_LU:
        louder = "louder" if step_lu > 0 else "quieter"
        basis = _BASES[loudness_basis(mix)]
        yield (
            f"incoming track {abs(step_lu):.1f} LU {louder} ({basis}): "
            f"trim its gain by {signed(-step_lu)} dB"
        )


def loudness_step_lu(mix: Mix) -> float:
    """Return the incoming loudness minus the outgoing one; NaN for unknown values."""
    outgoing_lufs = mix.outgoing.numbers[_LOUDNESS][mix.out_row]
    return float(mix.incoming.numbers[_LOUDNESS][mix.in_row] - outgoing_lufs)


def loudness_basis(mix: Mix) -> LoudnessBasis:
    """Return what the loudness of both tracks was measured on."""
    first = mix.outgoing.is_delivered[mix.out_row]
    if first != mix.incoming.is_delivered[mix.in_row]:
        return "mixed"
    return "delivered" if first else "source"


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


def signed(value: float) -> str:
    """Return a number with one decimal and its sign, a minus sign (U+2212) below zero."""
    return f"{value:+.1f}".replace("-", "−")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds * 10), 600)
    return f"{minutes}:{rest // 10:02d}.{rest % 10}"
