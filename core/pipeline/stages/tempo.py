"""tempo: BPM, beats, downbeats and the grid through them."""

from typing import Any

from core.pipeline.context import StageContext
from core.pipeline.results import TempoResult
from core.pipeline.signals import spectra_of, stems_of
from core.pipeline.stage import TrackStage
from stemcrate.schemas.options import ProcessingOptions

DRUM_STEM = "drums"


class TempoStage(TrackStage):
    """Estimate the tempo, with confidence and alternatives; clear drums decide."""

    name = "tempo"
    result_type = TempoResult
    version = "5"
    cost = 2.0
    inputs = ("decode", "separation")
    is_cached = True

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """Return the range that the tempo is folded into."""
        return {"tempo_min_bpm": options.tempo_min_bpm, "tempo_max_bpm": options.tempo_max_bpm}

    def execute(self, context: StageContext) -> TempoResult:
        """Analyse the mixture, and the drum stem if there is one."""
        from core.analysis.facts import tempo_facts
        from core.analysis.rhythm.tempo import arbitrate_tempo, estimate_tempo

        options = context.options
        tempo_range_bpm = (options.tempo_min_bpm, options.tempo_max_bpm)
        mixture = estimate_tempo(spectra_of(context, "mixture"), tempo_range_bpm=tempo_range_bpm)
        drums = None
        if DRUM_STEM in stems_of(context):
            drums = estimate_tempo(spectra_of(context, DRUM_STEM), tempo_range_bpm=tempo_range_bpm)
        estimate = arbitrate_tempo(mixture, drums)
        return TempoResult(
            tempo_bpm=estimate.tempo_bpm,
            decided_by_drums=estimate is drums,
            facts=tempo_facts(estimate),
        )
