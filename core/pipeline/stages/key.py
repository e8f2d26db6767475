"""key: the mixture's key, with its Camelot and Open Key codes."""

from core.analysis.track import TrackAnalyser
from core.pipeline.analysis_stage import AnalysisStage
from core.pipeline.context import StageContext
from core.pipeline.results import KeyResult


class KeyStage(AnalysisStage):
    """Estimate the key, with confidence and alternatives; stems decide where it is unsure."""

    name = "key"
    result_type = KeyResult
    cost = 1.0
    inputs = ("decode", "separation")

    def analyse(self, analyser: TrackAnalyser, context: StageContext) -> KeyResult:
        """Analyse the mixture, and the sum of the pitched stems where there are some."""
        key = analyser.key()
        return KeyResult(key=key.key, stems=list(analyser.pitched_stems()), facts=key)
