"""descriptors: the timbre of the mixture and each stem, as comparable vectors."""

from core.analysis.track import TrackAnalyser
from core.pipeline.analysis_stage import AnalysisStage
from core.pipeline.context import StageContext
from core.pipeline.results import StageResult


class DescriptorsStage(AnalysisStage):
    """Describe the mixture and the stems."""

    name = "descriptors"
    cost = 1.0
    inputs = ("decode", "separation")

    def analyse(self, analyser: TrackAnalyser, context: StageContext) -> StageResult:
        """Compute one vector for each."""
        facts = analyser.descriptors(context.progress)
        assert facts.descriptors is not None
        return StageResult(parts=list(facts.descriptors.vectors), facts=facts)
