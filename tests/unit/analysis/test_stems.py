"""Whose word counts where a stem was asked beside the mixture."""

from collections.abc import Sequence

import pytest

from core.analysis.harmony.camelot import key_to_camelot
from core.analysis.stems import arbitrate_key, arbitrate_tempo
from stemcrate.schemas.facts import KeyAlternative, KeyFacts, TempoFacts


def tempo(bpm: float, confidence: float) -> TempoFacts:
    return TempoFacts(tempo_bpm=bpm, tempo_confidence=confidence)


def key(name: str, confidence: float, others: Sequence[str] = ()) -> KeyFacts:
    alternatives = [KeyAlternative(key=o, camelot=key_to_camelot(o), score=0.1) for o in others]
    return KeyFacts(key=name, key_confidence=confidence, key_alternatives=alternatives)


def test_drums_that_are_clearly_surer_of_the_tempo_decide() -> None:
    """A mixture whose pulse is buried reads 2/3 of the tempo that its drums state plainly."""
    mixture, drums = tempo(85.3, 0.4), tempo(128.0, 0.9)
    assert arbitrate_tempo(mixture, drums) is drums


@pytest.mark.parametrize(
    "drums",
    [None, TempoFacts(), tempo(0.0, 0.0), tempo(150.0, 0.5), tempo(120.02, 0.9)],
    ids=["no stem", "no facts", "no signal", "hardly surer", "of one mind"],
)
def test_drums_that_say_no_more_leave_the_mixture_its_word(drums: TempoFacts | None) -> None:
    """A stem of silence or of leakage must not overrule the song, nor drums its bar lines."""
    mixture = tempo(120.0, 0.45)
    assert arbitrate_tempo(mixture, drums) is mixture


def test_stems_decide_only_where_they_are_clearly_surer() -> None:
    """A second opinion that always wins, or never wins, is useless."""
    unsure = key("C major", 0.3, ["A minor", "G major"])
    sure = key("C major", 0.8, ["A minor", "G major"])
    stems = key("A minor", 0.7)
    assert arbitrate_key(unsure, stems).key == "A minor"
    assert arbitrate_key(unsure, stems).key_is_contested
    assert arbitrate_key(sure, stems).key == "C major"
    assert arbitrate_key(sure, stems).key_is_contested
    assert arbitrate_key(unsure, key("Eb minor", 0.7)).key == "C major"
    assert not stems.key_is_contested


def test_without_stems_or_with_their_consent_the_mixture_stands() -> None:
    """No stems must not count as a conflict."""
    mixture = key("C major", 0.3)
    for stems in (None, KeyFacts(), key("C major", 0.9)):
        assert arbitrate_key(mixture, stems) is mixture
