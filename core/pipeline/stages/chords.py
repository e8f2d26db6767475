"""chords: which chord sounds when, beat by beat."""

from core.analysis.track import TrackAnalyser
from core.pipeline.analysis_stage import AnalysisStage
from core.pipeline.context import StageContext
from core.pipeline.results import StageResult
from stemcrate.schemas.facts import MIXTURE


class ChordsStage(AnalysisStage):
    """Estimate chords from the pitched stems, or from the mixture if there are none."""

    name = "chords"
    cost = 0.5
    inputs = ("decode", "separation", "tempo")

    def analyse(self, analyser: TrackAnalyser, context: StageContext) -> StageResult:
        """Align chords to the beats, or to half seconds without beats."""
        sources = analyser.pitched_stems() or (MIXTURE,)
        return StageResult(sources=list(sources), facts=analyser.chords())
