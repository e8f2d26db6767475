"""chords: which chord sounds when, beat by beat."""

from core.pipeline.context import StageContext
from core.pipeline.results import StageResult
from core.pipeline.signals import pitched_stems_of, spectra_of
from core.pipeline.stage import TrackStage


class ChordsStage(TrackStage):
    """Name the chords, from the stems that play them where there are some, else the mixture."""

    name = "chords"
    version = "2"
    cost = 0.5
    inputs = ("decode", "separation", "tempo")
    is_cached = True

    def execute(self, context: StageContext) -> StageResult:
        """Chords change on the beats that the tempo stage found, else every half second."""
        from core.analysis.facts import chords_facts
        from core.analysis.harmony.chords import estimate_chords
        from core.analysis.harmony.chroma import measure_chroma

        sources = pitched_stems_of(context) or ("mixture",)
        beats_s = context.facts.beats_s
        chroma = measure_chroma(spectra_of(context, *sources))
        segments = estimate_chords(chroma, beats_s)
        return StageResult(sources=list(sources), facts=chords_facts(segments))
