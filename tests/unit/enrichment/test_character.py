"""Heuristics of a track's character: their range, their direction, and what is unknown."""

from core.enrichment.character import (
    CharacterEnricher,
    estimate_arousal,
    estimate_danceability,
    estimate_valence,
)
from core.enrichment.enricher import EnrichedTrack
from core.enrichment.settings import EnricherSettings
from stemcrate.schemas.facts import TrackFacts

CLUB = TrackFacts(
    tempo_bpm=124.0,
    tempo_confidence=0.9,
    tempo_is_steady=True,
    key="C major",
    key_confidence=0.9,
    energy=8,
    energy_value=8.0,
)
BALLAD = TrackFacts(
    tempo_bpm=68.0,
    tempo_confidence=0.4,
    tempo_is_steady=False,
    key="A minor",
    key_confidence=0.9,
    energy=2,
    energy_value=2.0,
)


def test_a_club_track_is_more_of_everything_than_a_ballad() -> None:
    for estimate in (estimate_danceability, estimate_valence, estimate_arousal):
        club, ballad = estimate(CLUB), estimate(BALLAD)
        assert club is not None
        assert ballad is not None
        assert 0.0 <= ballad < 0.5 < club <= 1.0


def test_what_is_unknown_is_not_guessed() -> None:
    """Half of the scale for a track without facts would stand in the middle of every list."""
    unknown = TrackFacts()
    assert estimate_danceability(unknown) is None
    assert estimate_valence(unknown) is None
    assert estimate_arousal(unknown) is None
    assert estimate_danceability(TrackFacts(energy=5, tempo_bpm=None)) == 0.0


def test_an_uncertain_mode_counts_less() -> None:
    sure = estimate_valence(TrackFacts(key="C major", key_confidence=1.0))
    unsure = estimate_valence(TrackFacts(key="C major", key_confidence=0.2))
    assert sure is not None
    assert unsure is not None
    assert 0.5 < unsure < sure


def test_each_value_names_its_method() -> None:
    finding = CharacterEnricher(EnricherSettings()).enrich(
        EnrichedTrack("0" * 64, "a.wav", None, CLUB)
    )
    assert finding.arousal is not None
    assert finding.arousal.method == "energy-tempo-1"
