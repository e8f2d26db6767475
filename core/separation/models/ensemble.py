"""Ensembles: the average of several models' stems, or the minimum or maximum of their spectra.

``average`` is the safe choice; ``min_spectrum`` keeps what all models agree on, with less of other
sources in a stem; ``max_spectrum`` keeps what any of them found. The models run in lockstep.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from core.errors import InvalidOption
from core.separation.models.base import SeparatorModel
from core.separation.streaming.mixture import StemBlock, StereoMixture
from core.separation.streaming.passes import side_by_side
from core.separation.streaming.run import Run
from core.separation.streaming.spectral import Spectra, map_spectra
from stemcrate.schemas.options import Combination

SEPARATOR = "+"


def split_name(name: str) -> tuple[str, ...]:
    """Return the models of a name like ``htdemucs_ft+mdx_extra``."""
    return tuple(part.strip() for part in name.split(SEPARATOR))


def combine(
    models: Sequence[SeparatorModel], combination: Combination, weights: Sequence[float]
) -> SeparatorModel:
    """Return the only model, or an ensemble. Raises as `EnsembleModel`."""
    return models[0] if len(models) == 1 else EnsembleModel(models, combination, weights)


class EnsembleModel(SeparatorModel):
    """Several models with common stems as one.

    Parameters
    ----------
    models : at least two, of one sample rate. The stems are those common to all.
    combination : how their stems are combined.
    weights : of each model in an average; empty for equal weights.

    Raises
    ------
    InvalidOption : no stem in common, different rates, or weights that do not fit.
    """

    def __init__(
        self,
        models: Sequence[SeparatorModel],
        combination: Combination = "average",
        weights: Sequence[float] = (),
    ) -> None:
        first = models[0]
        self.name = SEPARATOR.join(model.name for model in models)
        self.sample_rate = first.sample_rate
        self.device = first.device
        self.stems = tuple(s for s in first.stems if all(s in model.stems for model in models))
        self.residual_stem = first.residual_stem if first.residual_stem in self.stems else None
        self.licence = " ".join(dict.fromkeys(model.licence for model in models))
        joined = "".join(model.weights_sha256 for model in models)
        self.weights_sha256 = hashlib.sha256(joined.encode()).hexdigest()
        self._models = tuple(models)
        self._combination = combination
        self._weights = np.array(weights or [1.0] * len(models), dtype=np.float32)
        self._check()

    @property
    def n_bytes(self) -> int:
        """Bytes of all weights."""
        return sum(model.n_bytes for model in self._models)

    def stream_stereo(self, mixture: StereoMixture, run: Run) -> Iterator[StemBlock]:
        """Run the models in lockstep and combine their stems."""
        streams = [
            model.stream_stereo(mixture, part)
            for model, part in zip(self._models, run.split(len(self._models)), strict=True)
        ]
        blocks = (np.stack(step) for step in side_by_side(streams))
        if self._combination != "average":
            yield from map_spectra(blocks, self._choose)
            return
        for block in blocks:
            mean: StemBlock = np.average(block, axis=0, weights=self._weights)
            yield mean.astype(np.float32)

    def _choose(self, spectra: Spectra) -> Spectra:
        """Take each bin from the model with the smallest or largest magnitude."""
        pick = np.argmin if self._combination == "min_spectrum" else np.argmax
        chosen = pick(np.abs(spectra), axis=0)
        taken: Spectra = np.take_along_axis(spectra, chosen[None], axis=0)[0]
        return taken

    def _check(self) -> None:
        if not self.stems:
            raise InvalidOption(
                f"The models of '{self.name}' have no stem in common.",
                hint="Combine models with the same stems.",
                field="model",
            )
        rates = [model.sample_rate for model in self._models]
        if len(set(rates)) > 1:
            raise InvalidOption(
                f"The models of '{self.name}' run at different rates: {rates} Hz.",
                hint="Combine models of one sample rate.",
                field="model",
            )
        if len(self._weights) != len(self._models) or self._weights.sum() <= 0:
            raise InvalidOption(
                f"{len(self._models)} models cannot be weighted by {self._weights.tolist()}.",
                hint="Set one weight for each model, not all of them zero.",
                field="ensemble_weights",
            )
