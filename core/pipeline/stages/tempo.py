"""tempo: BPM, beats and downbeats of the mixture."""

from typing import Any

from core.pipeline.context import StageContext
from core.pipeline.options import ProcessingOptions
from core.pipeline.signals import ANALYSIS_RATE_HZ, analysis_signal
from core.pipeline.stage import StageResult, TrackStage


class TempoStage(TrackStage):
    """Estimate the tempo, with confidence and alternatives."""

    name = "tempo"
    cost = 2.0

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """The range that the tempo is folded into."""
        return {"tempo_min_bpm": options.tempo_min_bpm, "tempo_max_bpm": options.tempo_max_bpm}

    def execute(self, context: StageContext) -> StageResult:
        """Analyse the mixture."""
        from core.analysis.tempo import estimate_tempo

        options = context.options
        estimate = estimate_tempo(
            analysis_signal(context),
            ANALYSIS_RATE_HZ,
            tempo_range_bpm=(options.tempo_min_bpm, options.tempo_max_bpm),
        )
        facts = {
            "tempo_bpm": estimate.tempo_bpm,
            "tempo_confidence": estimate.confidence,
            "tempo_alternatives": [
                {"tempo_bpm": candidate.tempo_bpm, "score": candidate.score}
                for candidate in estimate.alternatives
            ],
            "beats_s": list(estimate.beats_s),
            "downbeats_s": list(estimate.downbeats_s),
        }
        return StageResult(data={"tempo_bpm": estimate.tempo_bpm}, analysis=facts)
