"""key: the mixture's key, with its Camelot and Open Key codes."""

from core.pipeline.context import StageContext
from core.pipeline.results import KeyResult
from core.pipeline.signals import pitched_stems_of, spectra_of
from core.pipeline.stage import TrackStage


class KeyStage(TrackStage):
    """Estimate the key, with confidence and alternatives; stems decide where it is unsure."""

    name = "key"
    result_type = KeyResult
    version = "4"
    cost = 1.0
    inputs = ("decode", "separation")
    is_cached = True

    def execute(self, context: StageContext) -> KeyResult:
        """Analyse the mixture, and the sum of the pitched stems where there are some."""
        from core.analysis.facts import key_facts
        from core.analysis.harmony.chroma import measure_chroma
        from core.analysis.harmony.key import arbitrate_key, estimate_key

        mixture = estimate_key(measure_chroma(spectra_of(context, "mixture")))
        pitched = pitched_stems_of(context)
        stems = estimate_key(measure_chroma(spectra_of(context, *pitched))) if pitched else None
        estimate = arbitrate_key(mixture, stems)
        return KeyResult(key=estimate.key, stems=list(pitched), facts=key_facts(estimate))
