"""Tags and an embedding of the sound by musicnn: means over patches of 3 s."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from core.audio.buffer import Samples
from core.audio.reading.decode import read_through
from core.enrichment.enricher import EnrichedTrack, Enricher, Finding
from core.enrichment.musicnn.tags import TAGS
from core.enrichment.settings import EnricherSettings
from core.errors import UploadNotFound
from stemcrate.schemas.enrichment import ScoredTag

if TYPE_CHECKING:
    from core.enrichment.musicnn.network import MusicnnNetwork

BATCH = 8
"""Patches of one pass."""


class MusicnnEnricher(Enricher):
    """Tags and a 200-dimensional embedding; needs the file, and weights that are imported once."""

    name = "musicnn"
    model = "musicnn-mtt-1"

    def __init__(self, settings: EnricherSettings) -> None:
        super().__init__(settings)
        self._network: MusicnnNetwork | None = None

    def enrich(self, track: EnrichedTrack) -> Finding:
        """Return the means over the recording.

        Raises
        ------
        ModelUnavailable, UnsafeWeights : the weights are missing, or others.
        UploadNotFound : the file is missing.
        InvalidAudio : it cannot be decoded.
        """
        network = self._load()
        if track.path is None:
            raise UploadNotFound(
                f"The file of '{track.name}' is missing, or has changed.",
                hint="Add it to the library again where it is now.",
            )
        _, finding = read_through(
            track.path,
            lambda sample_rate, _, blocks: _listen(network, sample_rate, blocks),
            name=track.name,
            max_duration_s=self.settings.max_duration_s,
        )
        return finding

    def _load(self) -> "MusicnnNetwork":
        # Torch is loaded here, so that the names of enrichers are known without it.
        from core.enrichment.musicnn.network import MusicnnNetwork
        from core.enrichment.musicnn.weights import load_weights

        if self._network is None:
            self._network = MusicnnNetwork(load_weights(self.settings.weights_dir))
        return self._network


def _listen(network: "MusicnnNetwork", sample_rate: int, blocks: Iterator[Samples]) -> Finding:
    from core.enrichment.musicnn.patches import read_patches

    scores = np.zeros(network.n_tags)
    embeddings = np.zeros(network.n_dimensions)
    n_patches = 0
    patches = read_patches(sample_rate, blocks)
    while batch := list(islice(patches, BATCH)):
        found, embedded = network.infer(np.stack(batch))
        scores += found.sum(axis=0, dtype=np.float64)
        embeddings += embedded.sum(axis=0, dtype=np.float64)
        n_patches += len(batch)
    tags = zip(TAGS, scores / n_patches, strict=True)
    return Finding(
        tags=tuple(ScoredTag(name=name, score=round(float(score), 4)) for name, score in tags),
        embedding=(embeddings / n_patches).astype(np.float32),
    )
