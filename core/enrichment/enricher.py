"""What an enricher is: one module each, named in `core.enrichment.registry`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from core.enrichment.settings import EnricherSettings
from core.library.identity.fingerprint import Fingerprint
from stemcrate.schemas.enrichment import Estimate, Proposal, ScoredTag
from stemcrate.schemas.facts import TrackFacts


@dataclass(frozen=True, slots=True)
class EnrichedTrack:
    """A track as an enricher gets it.

    ``path`` is its file, None if that is missing or changed; ``facts`` are those of the analysis,
    with corrections.
    """

    id: str
    name: str
    path: Path | None
    facts: TrackFacts
    fingerprint: Fingerprint | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What an enricher found; ``embedding`` is float32, shape (n_dimensions,).

    A model gives all tracks the same tags, and embeddings of one length.
    """

    tags: tuple[ScoredTag, ...] = ()
    embedding: NDArray[np.float32] | None = None
    danceability: Estimate | None = None
    valence: Estimate | None = None
    arousal: Estimate | None = None
    proposals: tuple[Proposal, ...] = ()


class Enricher(ABC):
    """Looks for more about a track than the analysis does. Used by one thread at a time.

    Attributes
    ----------
    name : the word by which ENRICHERS names it.
    model : model and version; to be changed when results do not compare any more.
    """

    name: ClassVar[str]
    model: ClassVar[str]

    def __init__(self, settings: EnricherSettings) -> None:
        self.settings = settings

    @abstractmethod
    def enrich(self, track: EnrichedTrack) -> Finding:
        """Return what is found; called in a process of its own.

        Raises
        ------
        StemcrateError : it cannot be said. Retryable errors are tried again; errors that are none
            of ours are, too.
        """
