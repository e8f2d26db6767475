"""Enrichers over a real library: what is kept, tried again, found and compared."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.artifacts.store import JobStore
from core.enrichment.character import CharacterEnricher
from core.enrichment.enricher import Finding
from core.enrichment.enriching import BACK_OFF_S, EnrichTask, carry_out, enrich_track, lacking
from core.enrichment.settings import EnricherSettings
from core.errors import InvalidAudio, InvalidOption
from core.library.library import Library
from core.library.records.record import LibraryRecord
from stemcrate.schemas.enrichment import (
    EnricherOutcome,
    EnrichmentStatus,
    Proposal,
    ScoredTag,
    SimilarityBasis,
)
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.search import TrackQuery

IDS = [f"{n:064x}" for n in (1, 2, 3)]
FACTS = TrackFacts(tempo_bpm=124.0, key="C major", energy=8, energy_value=8.0)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path, f"sqlite:///{tmp_path / 'stemcrate.sqlite'}")
    for n, track_id in enumerate(IDS):
        library.put(
            LibraryRecord(
                id=track_id,
                name=f"{n}.wav",
                title=f"Song {n}",
                added_at=datetime.now(UTC),
                bytes=4,
                facts=FACTS,
            )
        )
    return library


def heard(*scores: float, embedding: list[float]) -> Finding:
    tags = tuple(
        ScoredTag(name=n, score=s) for n, s in zip(("rock", "techno"), scores, strict=True)
    )
    proposal = Proposal(score=0.9, title="Another", recording_id="r")
    return Finding(tags=tags, embedding=np.array(embedding, np.float32), proposals=(proposal,))


def enrich(
    library: Library,
    track_id: str,
    carry: Callable[[EnrichTask], Finding] = carry_out,
    waits: list[float] | None = None,
) -> EnricherOutcome:
    return enrich_track(
        library,
        track_id,
        CharacterEnricher,
        EnricherSettings(),
        store=JobStore(Path()),
        carry=carry,
        wait=(waits if waits is not None else []).append,
    )


def test_results_outlive_an_analysis_and_a_rebuilt_catalogue(library: Library) -> None:
    enrich(library, IDS[0], lambda _: heard(0.1, 0.8, embedding=[1.0, 0.0]))
    library.change(IDS[0], lambda record: record.take_facts(TrackFacts(energy=3), "other"))
    library.rebuild()
    found = library.enrichment(IDS[0]).view()
    assert found.status == EnrichmentStatus.DONE
    assert [tag.name for tag in found.outcomes[0].tags] == ["techno", "rock"]
    assert found.outcomes[0].n_dimensions == 2
    assert found.outcomes[0].proposals[0].title == "Another"
    assert library.summary(IDS[0]).title == "Song 0"  # a proposal overwrites nothing
    assert [t.id for t in library.search(TrackQuery(text="techno")).tracks] == [IDS[0]]


def test_failures_are_tried_three_times_and_leave_the_track_ready(library: Library) -> None:
    waits: list[float] = []

    def fail(_: EnrichTask) -> Finding:
        raise RuntimeError("no luck")

    outcome = enrich(library, IDS[0], fail, waits)
    assert (outcome.status, outcome.n_attempts) == (EnrichmentStatus.FAILED, 3)
    assert waits == [BACK_OFF_S, 2 * BACK_OFF_S]
    assert outcome.error is not None
    assert "no luck" in outcome.error.message
    assert library.enrichment(IDS[0]).view().status == EnrichmentStatus.FAILED
    assert library.summary(IDS[0]).title == "Song 0"
    assert lacking(library, [CharacterEnricher]) == IDS
    assert enrich(library, IDS[0]).status == EnrichmentStatus.DONE
    assert lacking(library, [CharacterEnricher]) == IDS[1:]


def test_what_cannot_pass_is_not_tried_again(library: Library) -> None:
    waits: list[float] = []

    def refuse(_: EnrichTask) -> Finding:
        raise InvalidAudio("no audio")

    assert enrich(library, IDS[0], refuse, waits).n_attempts == 1
    assert not waits


def test_a_failure_keeps_what_was_found_before(library: Library) -> None:
    enrich(library, IDS[0])

    def refuse(_: EnrichTask) -> Finding:
        raise InvalidAudio("no audio")

    outcome = enrich(library, IDS[0], refuse)
    assert outcome.status == EnrichmentStatus.FAILED
    assert outcome.arousal is not None


def test_similar_by_sound_and_by_tags(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors of different models were compared as if they were of one."""
    for track_id, finding in zip(
        IDS,
        (
            heard(0.1, 0.8, embedding=[1.0, 0.0]),
            heard(0.1, 0.7, embedding=[0.0, 1.0]),
            heard(0.8, 0.1, embedding=[1.0, 0.1]),
        ),
        strict=True,
    ):
        enrich(library, track_id, lambda _: finding)  # noqa: B023  it is called at once
    by_sound = library.similar(IDS[0], basis=SimilarityBasis.SOUND)
    by_tags = library.similar(IDS[0], basis=SimilarityBasis.TAGS)
    assert [track.id for track, _ in by_sound] == [IDS[2], IDS[1]]
    assert [track.id for track, _ in by_tags] == [IDS[1], IDS[2]]
    monkeypatch.setattr(CharacterEnricher, "model", "another")
    enrich(library, IDS[2], lambda _: heard(0.8, 0.1, embedding=[1.0, 0.1, 0.0]))
    assert [t.id for t, _ in library.similar(IDS[0], basis=SimilarityBasis.SOUND)] == [IDS[1]]
    assert library.similar(IDS[2], basis=SimilarityBasis.SOUND) == []


def test_similar_says_what_is_missing(library: Library) -> None:
    with pytest.raises(InvalidOption, match="No enricher has found the sound"):
        library.similar(IDS[0], basis=SimilarityBasis.SOUND)
    with pytest.raises(InvalidOption, match="Stems are compared by descriptors"):
        library.similar(IDS[0], basis=SimilarityBasis.TAGS, part="drums")
