"""Danceability, valence and arousal as heuristics on the facts of the analysis.

No recording judged by listeners was used to make them: they rank the tracks of a library, and say
little about one track. Each value, 0 to 1, stands beside the name of its method.

Reference for the direction of the terms: Eerola & Vuoskoski, "A review of music and emotion
studies", Music Perception 30(3), 2013: fast and loud music is heard as aroused, fast music in a
major key as positive.
"""

from math import exp, log2

from core.enrichment.enricher import EnrichedTrack, Enricher, Finding
from stemcrate.schemas.enrichment import Estimate
from stemcrate.schemas.facts import TrackFacts

DANCED_BPM = 120.0
OCTAVES_AROUND = 0.4
"""Distance from `DANCED_BPM`, in octaves, at which a tempo counts 1/e."""


class CharacterEnricher(Enricher):
    """Estimates from tempo, key and energy; needs neither the file nor a package."""

    name = "character"
    model = "character-1"

    def enrich(self, track: EnrichedTrack) -> Finding:
        """Return the estimates whose facts are known."""
        facts = track.facts
        return Finding(
            danceability=_estimate(estimate_danceability(facts), "steady-tempo-energy-1"),
            valence=_estimate(estimate_valence(facts), "mode-tempo-1"),
            arousal=_estimate(estimate_arousal(facts), "energy-tempo-1"),
        )


def estimate_danceability(facts: TrackFacts) -> float | None:
    """Return how near tempo, steadiness and energy come to dance music's; None: unknown.

    Without a pulse it is 0 where the energy is known.
    """
    energy = _energy(facts)
    if energy is None:
        return None
    if facts.tempo_bpm is None:
        return 0.0
    distance = log2(facts.tempo_bpm / DANCED_BPM) / OCTAVES_AROUND
    steady = 0.5 if facts.tempo_is_steady is None else float(facts.tempo_is_steady)
    sure = 0.5 if facts.tempo_confidence is None else facts.tempo_confidence
    return 0.4 * exp(-(distance**2)) + 0.2 * steady + 0.2 * sure + 0.2 * energy


def estimate_valence(facts: TrackFacts) -> float | None:
    """Return how positive mode and tempo are heard; None: the key is unknown.

    The mode counts as far as the key is certain.
    """
    if facts.key is None:
        return None
    sure = 0.5 if facts.key_confidence is None else facts.key_confidence
    mode = 1.0 if facts.key.endswith("major") else -1.0
    return _clip(0.5 + 0.25 * sure * mode + 0.25 * (2.0 * _tempo(facts) - 1.0))


def estimate_arousal(facts: TrackFacts) -> float | None:
    """Return how exciting energy and tempo are; None: the energy is unknown."""
    energy = _energy(facts)
    return None if energy is None else 0.75 * energy + 0.25 * _tempo(facts)


def _energy(facts: TrackFacts) -> float | None:
    value = facts.energy_value if facts.energy_value is not None else facts.energy
    return None if value is None else _clip((value - 1.0) / 9.0)


def _tempo(facts: TrackFacts) -> float:
    """Return 0 for 60 BPM and below, 1 for 180 and above, 0.5 for an unknown tempo."""
    return 0.5 if facts.tempo_bpm is None else _clip((facts.tempo_bpm - 60.0) / 120.0)


def _clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _estimate(value: float | None, method: str) -> Estimate | None:
    return None if value is None else Estimate(value=round(_clip(value), 4), method=method)
