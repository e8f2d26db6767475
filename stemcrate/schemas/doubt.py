"""When a tempo or a key is shown with its doubt, and in which words."""

from dataclasses import dataclass
from typing import TypeVar

from stemcrate.schemas.facts import KeyAlternative, TempoAlternative, TrackFacts

Alternative = TypeVar("Alternative", TempoAlternative, KeyAlternative)


@dataclass(frozen=True, slots=True)
class DoubtRules:
    """What counts as doubtful, and which alternatives are named.

    Parameters
    ----------
    min_confidence : confidence, 0 to 1, below which a value is doubtful. Confidences are
        probabilities: below one half it is more likely wrong than right.
    min_score : smallest score of an alternative that is named; 1 % and less is noise.
    max_alternatives : how many are named at most, as many as one looks at.
    """

    min_confidence: float = 0.5
    min_score: float = 0.01
    max_alternatives: int = 3


DOUBT_RULES = DoubtRules()


def is_doubtful(value: float | str | None, confidence: float | None) -> bool:
    """Return whether a value is more likely wrong than right; not if it or its confidence lacks."""
    return value is not None and confidence is not None and confidence < DOUBT_RULES.min_confidence


def doubt_of(value: float | str | None, confidence: float | None) -> str:
    """Return the doubt of a value, to stand beside it; empty if there is none, or no value.

    >>> doubt_of(136.8, 0.16), doubt_of(136.8, 0.8), doubt_of(None, 0.0)
    ('uncertain, 16 %', '', '')
    """
    if confidence is None or not is_doubtful(value, confidence):
        return ""
    return f"uncertain, {100 * confidence:.0f} %"


def with_doubt(words: str, value: float | str | None, confidence: float | None) -> str:
    """Return a value in words with its doubt.

    >>> with_doubt("136.8 BPM", 136.8, 0.16)
    '136.8 BPM (uncertain, 16 %)'
    """
    doubt = doubt_of(value, confidence)
    return f"{words} ({doubt})" if doubt else words


def list_likely(alternatives: list[Alternative]) -> list[Alternative]:
    """Return the alternatives that are named."""
    likely = [other for other in alternatives if other.score >= DOUBT_RULES.min_score]
    return likely[: DOUBT_RULES.max_alternatives]


def tell_doubts(facts: TrackFacts) -> list[str]:
    """Return a sentence for a doubtful tempo and one for a doubtful key, with alternatives."""
    told = []
    if doubt := doubt_of(facts.tempo_bpm, facts.tempo_confidence):
        tempi = [f"{other.tempo_bpm:.1f}" for other in list_likely(facts.tempo_alternatives)]
        others = f"; it may be {' or '.join(tempi)} BPM" if tempi else ""
        told.append(f"Tempo {facts.tempo_bpm:.1f} BPM ({doubt}){others}.")
    if doubt := doubt_of(facts.key, facts.key_confidence):
        keys = [f"{other.key} ({other.camelot})" for other in list_likely(facts.key_alternatives)]
        others = f"; it may be {' or '.join(keys)}" if keys else ""
        told.append(f"Key {facts.key} ({doubt}){others}.")
    return told
