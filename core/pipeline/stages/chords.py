"""chords: which chord sounds when, beat by beat."""

from core.pipeline.context import StageContext
from core.pipeline.results import StageResult
from core.pipeline.signals import pitched_stems_of, spectra_of
from core.pipeline.stage import TrackStage


class ChordsStage(TrackStage):
    """Estimate chords from the pitched stems, or from the mixture if there are none."""

    name = "chords"
    version = "2"
    cost = 0.5
    inputs = ("decode", "separation", "tempo")
    is_cached = True

    def execute(self, context: StageContext) -> StageResult:
        """Align chords to the tempo stage's beats, or to half seconds without beats."""
        from core.analysis.facts import chords_facts
        from core.analysis.harmony.chords import estimate_chords
        from core.analysis.harmony.chroma import measure_chroma

        sources = pitched_stems_of(context) or ("mixture",)
        beats_s = context.facts.beats_s
        chroma = measure_chroma(spectra_of(context, *sources))
        segments = estimate_chords(chroma, beats_s)
        return StageResult(sources=list(sources), facts=chords_facts(segments))
