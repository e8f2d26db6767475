"""energy: how energetic a track is, 1 to 10, and its loudness."""

from core.pipeline.context import StageContext
from core.pipeline.results import StageResult
from core.pipeline.signals import mixture_loudness, spectra_of
from core.pipeline.stage import TrackStage
from stemcrate.schemas.facts import TrackFacts


class EnergyStage(TrackStage):
    """Rate the energy, and measure loudness, range and peaks of the mixture as it came in."""

    name = "energy"
    version = "3"
    cost = 0.5
    inputs = ("decode",)
    is_cached = True

    def execute(self, context: StageContext) -> StageResult:
        """Analyse the mixture."""
        from core.analysis.energy import estimate_energy
        from core.analysis.facts import energy_facts

        loudness = mixture_loudness(context)
        estimate = estimate_energy(
            spectra_of(context, "mixture"), loudness.integrated_loudness_lufs
        )
        facts = TrackFacts()
        facts.merge(energy_facts(estimate))
        facts.merge(loudness)
        return StageResult(energy=estimate.energy, facts=facts)
