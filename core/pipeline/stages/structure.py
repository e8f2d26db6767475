"""structure: sections, mix-in and mix-out, cue points."""

from core.pipeline.context import StageContext
from core.pipeline.results import StageResult, TempoResult
from core.pipeline.signals import spectra_of
from core.pipeline.stage import TrackStage


class StructureStage(TrackStage):
    """Find the sections on the downbeats that the tempo stage found."""

    name = "structure"
    version = "3"
    cost = 0.2
    inputs = ("decode", "tempo", "vocals")
    is_cached = True

    def execute(self, context: StageContext) -> StageResult:
        """Analyse the mixture, using the sung passages of the vocals stage."""
        from core.analysis.facts import structure_facts
        from core.analysis.form.structure import find_structure
        from core.analysis.rhythm.grid import rate_hold

        context.require(TempoResult)
        found = context.facts
        structure = find_structure(
            spectra_of(context, "mixture"),
            found.downbeats_s,
            grid_confidence=rate_hold(
                found.tempo_confidence or 0.0, [part.n_beats for part in found.beat_grid]
            ),
            vocals_s=found.vocals_s,
        )
        return StageResult(n_sections=len(structure.sections), facts=structure_facts(structure))
