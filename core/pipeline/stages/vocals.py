"""vocals: sung passages, from the vocal stem."""

from core.analysis.track import TrackAnalyser
from core.pipeline.analysis_stage import AnalysisStage
from core.pipeline.context import StageContext
from core.pipeline.results import StageResult


class VocalsStage(AnalysisStage):
    """Find the sung passages; without a vocal stem, record its absence."""

    name = "vocals"
    cost = 0.3
    inputs = ("decode", "separation")

    def analyse(self, analyser: TrackAnalyser, context: StageContext) -> StageResult:
        """Compare the levels of the stem and of the mixture."""
        vocals = analyser.vocals()
        return StageResult(is_absent=vocals.vocals_s is None, facts=vocals)
