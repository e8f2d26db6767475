"""vocals: sung passages, from the vocal stem."""

from core.pipeline.context import StageContext
from core.pipeline.results import StageResult
from core.pipeline.signals import stems_of
from core.pipeline.stage import TrackStage

VOCAL_STEM = "vocals"


class VocalsStage(TrackStage):
    """Find the sung passages; without a vocal stem, record its absence."""

    name = "vocals"
    version = "2"
    cost = 0.3
    inputs = ("decode", "separation")
    is_cached = True

    def execute(self, context: StageContext) -> StageResult:
        """Compare the levels of the stem and of the mixture."""
        from core.analysis.facts import vocals_facts
        from core.analysis.form.vocals import find_vocals, measure_levels

        if VOCAL_STEM not in stems_of(context):
            return StageResult(is_absent=True, facts=vocals_facts(None))
        with context.reader(VOCAL_STEM) as stem, context.reader("mixture") as mixture:
            activity = find_vocals(
                measure_levels(stem.blocks(), stem.sample_rate),
                measure_levels(mixture.blocks(), mixture.sample_rate),
                duration_s=mixture.n_samples / mixture.sample_rate,
            )
        return StageResult(is_absent=False, facts=vocals_facts(activity))
