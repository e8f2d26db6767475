"""A stage that finds facts of the recording: one part of its analysis."""

from abc import abstractmethod
from typing import ClassVar

from core.analysis.track import TrackAnalyser
from core.analysis.version import ANALYSIS_VERSION
from core.pipeline.context import StageContext
from core.pipeline.results import StageResult
from core.pipeline.signals import analysing
from core.pipeline.stage import TrackStage


class AnalysisStage(TrackStage):
    """A part of the analysis, kept by `core.analysis.store` and not by the cache of stages."""

    version: ClassVar[str] = ANALYSIS_VERSION

    def execute(self, context: StageContext) -> StageResult:
        """Take the part from the store, else find it."""
        with analysing(context) as analyser:
            result = self.analyse(analyser, context)
        return result.model_copy(update={"is_known": analyser.is_known})

    @abstractmethod
    def analyse(self, analyser: TrackAnalyser, context: StageContext) -> StageResult:
        """Ask the analyser for the part."""
