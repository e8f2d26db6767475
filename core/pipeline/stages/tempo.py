"""tempo: BPM, beats, downbeats and the grid through them."""

from typing import Any

from core.analysis.track import TrackAnalyser
from core.pipeline.analysis_stage import AnalysisStage
from core.pipeline.context import StageContext
from core.pipeline.results import TempoResult
from stemcrate.schemas.options import ProcessingOptions


class TempoStage(AnalysisStage):
    """Estimate the tempo, with confidence and alternatives; clear drums decide."""

    name = "tempo"
    result_type = TempoResult
    cost = 2.0
    inputs = ("decode", "separation")

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """Return the range that the tempo is folded into."""
        return {"tempo_min_bpm": options.tempo_min_bpm, "tempo_max_bpm": options.tempo_max_bpm}

    def analyse(self, analyser: TrackAnalyser, context: StageContext) -> TempoResult:
        """Analyse the mixture, and the drums if there is a stem of them."""
        tempo = analyser.tempo()
        return TempoResult(
            tempo_bpm=tempo.tempo_bpm,
            decided_by_drums=analyser.is_tempo_of_drums(),
            facts=tempo,
        )
