"""composite: recipes become sums of the available stems."""

from typing import Any

from core.pipeline.composites import resolve_recipes
from core.pipeline.context import StageContext
from core.pipeline.results import (
    CompositeResult,
    HarmonicPercussiveResult,
    SeparationResult,
)
from core.pipeline.stage import TrackStage
from stemcrate.schemas.options import ProcessingOptions


class CompositeTrackStage(TrackStage):
    """Resolve the recipes. Delivery computes the sums, where they are exact."""

    name = "composite"
    result_type = CompositeResult
    serves_delivery = True
    cost = 0.1

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """The recipes asked for."""
        return {"recipes": list(options.recipes), "custom_recipes": dict(options.custom_recipes)}

    def execute(self, context: StageContext) -> CompositeResult:
        """List what each composite sums, and why a recipe is skipped."""
        split = context.result(HarmonicPercussiveResult)
        resolved = resolve_recipes(
            context.options.recipes,
            context.options.custom_recipes,
            stems=context.require(SeparationResult).stems,
            parts=[] if split is None else split.parts,
        )
        return CompositeResult(
            sums={name: list(sources) for name, sources in resolved.sums.items()},
            skipped=resolved.skipped,
        )
