"""key: the mixture's key, with its Camelot and Open Key codes."""

from core.pipeline.context import StageContext
from core.pipeline.signals import analysis_signal
from core.pipeline.stage import StageResult, TrackStage


class KeyStage(TrackStage):
    """Estimate the key, with confidence and alternatives."""

    name = "key"
    cost = 3.0

    def execute(self, context: StageContext) -> StageResult:
        """Analyse the mixture."""
        from core.analysis.key import estimate_key
        from core.analysis.spectra import measure_spectra

        estimate = estimate_key(measure_spectra([analysis_signal(context)]))
        facts = {
            "key": estimate.key,
            "key_short": estimate.key_short,
            "camelot": estimate.camelot,
            "open_key": estimate.open_key,
            "key_confidence": estimate.confidence,
            "key_alternatives": [
                {"key": other.key, "camelot": other.camelot, "score": other.score}
                for other in estimate.alternatives
            ],
            "tuning_cents": estimate.tuning_cents,
        }
        return StageResult(data={"key": estimate.key}, analysis=facts)
