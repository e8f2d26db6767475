"""descriptors: the timbre of the mixture and each stem, as comparable vectors."""

from core.pipeline.context import StageContext
from core.pipeline.results import StageResult
from core.pipeline.signals import spectra_of, stems_of
from core.pipeline.stage import TrackStage


class DescriptorsStage(TrackStage):
    """Describe the mixture and the stems."""

    name = "descriptors"
    cost = 1.0
    inputs = ("decode", "separation")
    is_cached = True

    def execute(self, context: StageContext) -> StageResult:
        """Compute one vector for each."""
        from core.analysis.descriptors import describe_sound
        from core.analysis.facts import descriptor_facts

        names = ("mixture", *stems_of(context))
        vectors = {}
        for done, name in enumerate(names):
            vectors[name] = describe_sound(spectra_of(context, name))
            context.progress((done + 1) / len(names))
        return StageResult(parts=list(names), facts=descriptor_facts(vectors))
