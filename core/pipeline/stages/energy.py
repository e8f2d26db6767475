"""energy: how hard a track drives, 1 to 10, and how loud it is."""

from core.pipeline.context import StageContext
from core.pipeline.signals import ANALYSIS_RATE_HZ, analysis_signal, mixture_loudness
from core.pipeline.stage import StageResult, TrackStage


class EnergyStage(TrackStage):
    """Rate the energy, and tell loudness, range and peaks of the mixture as it came in."""

    name = "energy"
    cost = 1.0

    def execute(self, context: StageContext) -> StageResult:
        """Analyse the mixture."""
        from core.analysis.energy import estimate_energy

        loudness = mixture_loudness(context)
        estimate = estimate_energy(
            analysis_signal(context), ANALYSIS_RATE_HZ, loudness["integrated_loudness_lufs"]
        )
        return StageResult(
            data={"energy": estimate.energy},
            analysis={
                "energy": estimate.energy,
                "energy_value": estimate.value,
                "energy_components": dict(estimate.components),
                **loudness,
            },
        )
