"""energy: how energetic a track is, 1 to 10, and its loudness."""

from core.analysis.track import TrackAnalyser
from core.pipeline.analysis_stage import AnalysisStage
from core.pipeline.context import StageContext
from core.pipeline.results import StageResult
from stemcrate.schemas.facts import TrackFacts


class EnergyStage(AnalysisStage):
    """Rate the energy, and measure loudness, range and peaks of the mixture as it came in."""

    name = "energy"
    cost = 0.5
    inputs = ("decode",)

    def analyse(self, analyser: TrackAnalyser, context: StageContext) -> StageResult:
        """Analyse the mixture."""
        energy = analyser.energy()
        facts = TrackFacts()
        facts.merge(energy)
        facts.merge(analyser.loudness())
        return StageResult(energy=energy.energy, facts=facts)
