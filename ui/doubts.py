"""Doubts of a tempo or a key, in the reader's language."""

from stemcrate.schemas.doubt import is_doubtful, list_likely
from stemcrate.schemas.facts import TrackFacts
from ui.language import t


def doubt_of(value: float | str | None, confidence: float | None) -> str:
    """Return the doubt of a value, to stand beside it; empty if there is none, or no value."""
    if confidence is None or not is_doubtful(value, confidence):
        return ""
    return t("uncertain, {n} %", n=f"{100 * confidence:.0f}")


def with_doubt(words: str, value: float | str | None, confidence: float | None) -> str:
    """Return a value in words with its doubt.

    >>> with_doubt("136.8 BPM", 136.8, 0.16)
    '136.8 BPM (uncertain, 16 %)'
    """
    doubt = doubt_of(value, confidence)
    return f"{words} ({doubt})" if doubt else words


def tell_doubts(facts: TrackFacts) -> list[str]:
    """Return a sentence for a doubtful tempo and one for a doubtful key, with alternatives."""
    told = []
    if doubt := doubt_of(facts.tempo_bpm, facts.tempo_confidence):
        tempi = [f"{other.tempo_bpm:.1f}" for other in list_likely(facts.tempo_alternatives)]
        told.append(_tell(t("Tempo"), f"{facts.tempo_bpm:.1f} BPM", doubt, tempi, " BPM"))
    if doubt := doubt_of(facts.key, facts.key_confidence):
        keys = [f"{other.key} ({other.camelot})" for other in list_likely(facts.key_alternatives)]
        told.append(_tell(t("Key"), str(facts.key), doubt, keys))
    return told


def _tell(what: str, value: str, doubt: str, others: list[str], unit: str = "") -> str:
    told = f"{what} {value} ({doubt})"
    if others:
        told += t("; it may be {others}", others=t(" or ").join(others)) + unit
    return f"{told}."
