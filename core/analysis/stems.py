"""What the stems of a job say beside its mixture, and which of the two counts.

Facts in, facts out: an answer that was kept counts as much as one that was just found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from stemcrate.schemas.facts import KeyFacts, TempoFacts

if TYPE_CHECKING:
    from core.analysis.form.vocals import Levels
    from core.analysis.spectra import Spectra

VOCALS = "vocals"
DRUMS = "drums"
PITCHED = ("bass", "other", "guitar", "piano")
"""Stems that play the harmony: neither drums nor vocals, nor sums with them."""


@dataclass(frozen=True, slots=True)
class StemRules:
    """When stems overrule the mixture. No benchmark of these numbers is recorded.

    Parameters
    ----------
    surer_tempo, surer_key : by how much the stems must be surer than the mixture, as confidence.
    same_beat : relative difference up to which drums and mixture have the same tempo.
    """

    surer_tempo: float = 0.15
    surer_key: float = 0.2
    same_beat: float = 0.005


RULES = StemRules()


class Stems(Protocol):
    """The stems that a recording was separated into.

    Attributes
    ----------
    names : of the stems.
    identity : what tells these stems from those of another separation; None where nothing does,
        and then nothing that they decide is kept.
    """

    names: Sequence[str]
    identity: str | None

    def spectra(self, names: Sequence[str]) -> "Spectra":
        """Return the spectra of the sum of some stems."""

    def levels(self, name: str) -> "Levels":
        """Return the levels of a stem, or of the ``mixture``."""

    def duration_s(self) -> float:
        """Return the length in seconds."""


class NoStems:
    """The stems of a recording that was not separated."""

    names: Sequence[str] = ()
    identity: str | None = None

    def spectra(self, names: Sequence[str]) -> "Spectra":
        """Raise LookupError: there are no stems."""
        raise LookupError(names)

    def levels(self, name: str) -> "Levels":
        """Raise LookupError: there are no stems."""
        raise LookupError(name)

    def duration_s(self) -> float:
        """Raise LookupError: there are no stems."""
        raise LookupError


def arbitrate_tempo(mixture: TempoFacts, drums: TempoFacts | None) -> TempoFacts:
    """Choose between the tempo of the mixture and that of its drums.

    The drums win where they have a tempo and are clearly surer of it. Bars are told by harmony
    too, which drums have not: where both agree on the beat, the mixture's bars stand.

    Parameters
    ----------
    mixture, drums : facts of the same recording; None or 0.0 BPM where there are no drums.
    """
    if drums is None or not drums.tempo_bpm:
        return mixture
    is_same = abs(drums.tempo_bpm / max(mixture.tempo_bpm or 0.0, 1e-9) - 1) < RULES.same_beat
    margin = (drums.tempo_confidence or 0.0) - (mixture.tempo_confidence or 0.0)
    return mixture if is_same or margin < RULES.surer_tempo else drums


def arbitrate_key(mixture: KeyFacts, stems: KeyFacts | None) -> KeyFacts:
    """Let what the stems say decide where the mixture is unsure.

    Parameters
    ----------
    mixture : the key of the mixture.
    stems : that of the sum of the stems that play on pitches (bass and other, without drums and
        vocals); None where there are none.

    Returns
    -------
    The stems' key where they name one of the mixture's candidates, and are clearly surer; else the
    mixture's. ``key_is_contested`` where the two differ.
    """
    if stems is None or stems.key is None or stems.key == mixture.key:
        return mixture
    is_candidate = mixture.key is None or stems.key in [c.key for c in mixture.key_alternatives]
    margin = (stems.key_confidence or 0.0) - (mixture.key_confidence or 0.0)
    if is_candidate and margin > RULES.surer_key:
        return stems.model_copy(update={"key_is_contested": mixture.key is not None})
    return mixture.model_copy(update={"key_is_contested": True})
