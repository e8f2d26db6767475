"""Arbitration between the facts of a mixture and those of its stems.

Facts in, facts out: stored facts and new ones are treated alike.
"""

import math
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
"""Pitched stems: neither drums nor vocals, nor sums with them."""


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
    identity : identifies the separation; if None, facts that depend on the stems are not stored.
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
    """Stems of a recording that was not separated: none."""

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

    The drums win where their confidence is clearly higher. Bars depend on harmony, too, which
    drums lack: where both agree on the beat, the mixture's bars are kept.

    Parameters
    ----------
    mixture, drums : facts of the same recording; None without drums.
    """
    if drums is None or drums.tempo_bpm is None:
        return mixture
    ratio = drums.tempo_bpm / mixture.tempo_bpm if mixture.tempo_bpm else math.inf
    is_same = abs(ratio - 1) < RULES.same_beat
    margin = (drums.tempo_confidence or 0.0) - (mixture.tempo_confidence or 0.0)
    return mixture if is_same or margin < RULES.surer_tempo else drums


def arbitrate_key(mixture: KeyFacts, stems: KeyFacts | None) -> KeyFacts:
    """Decide by the stems where the mixture is uncertain.

    Parameters
    ----------
    mixture : the key of the mixture.
    stems : the key of the sum of the pitched stems (bass and other, without drums and vocals);
        None without stems.

    Returns
    -------
    The stems' key if it is among the mixture's candidates and clearly more certain; else the
    mixture's. ``key_is_contested`` is set where the two differ.
    """
    if stems is None or stems.key is None or stems.key == mixture.key:
        return mixture
    is_candidate = mixture.key is None or stems.key in [c.key for c in mixture.key_alternatives]
    margin = (stems.key_confidence or 0.0) - (mixture.key_confidence or 0.0)
    if is_candidate and margin > RULES.surer_key:
        return stems.model_copy(update={"key_is_contested": mixture.key is not None})
    return mixture.model_copy(update={"key_is_contested": True})
