"""structure: sections, mix-in and mix-out, cue points."""

from core.analysis.track import TrackAnalyser
from core.pipeline.analysis_stage import AnalysisStage
from core.pipeline.context import StageContext
from core.pipeline.results import StageResult, TempoResult


class StructureStage(AnalysisStage):
    """Find the sections on the downbeats of the tempo."""

    name = "structure"
    cost = 0.2
    inputs = ("decode", "tempo", "vocals")

    def analyse(self, analyser: TrackAnalyser, context: StageContext) -> StageResult:
        """Analyse the mixture, using the sung passages of the vocal stem."""
        context.require(TempoResult)
        structure = analyser.structure()
        return StageResult(n_sections=len(structure.sections), facts=structure)
