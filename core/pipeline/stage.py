"""What a stage is: one step of the pipeline, with its own record in the manifest."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from core.pipeline.context import JobContext, StageContext
from core.pipeline.runtime import Runtime
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.record import Facts
from stemcrate.schemas.sets import SetDescription

Progress = Callable[[float], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage found: ``data`` (JSON) for later stages, ``facts`` of the track for people."""

    data: dict[str, Any] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    playlist: SetDescription | None = None


class PipelineStage(ABC):
    """One step. Stages are independent: they meet only in their contexts.

    Attributes
    ----------
    name : the word for this stage in the manifest, the API and on the screen.
    version : raised whenever the same input gives another result.
    essential : whether a track without this stage's result is of no use. A stage that is not
        essential fails open: its error is recorded and the job goes on.
    scope : ``track`` for a step of every mixture, ``job`` for one of the whole job.
    queue : ``gpu`` for separation, ``cpu`` for the rest.
    serves_delivery : whether the stage is there for the files of a job; one that separates nothing
        (`ProcessingOptions.separates`) has none and leaves it out.
    cost : CPU time relative to the other stages, for the progress of the whole job.
    inputs : names of the track's stages that the result depends on.
    is_cached : whether the result is kept for other jobs with the same mixture. Only for stages
        that write no artefacts and don't look at names.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    essential: ClassVar[bool] = False
    scope: ClassVar[Literal["track", "job"]] = "track"
    queue: ClassVar[Literal["gpu", "cpu"]] = "cpu"
    serves_delivery: ClassVar[bool] = False
    cost: ClassVar[float] = 1.0
    inputs: ClassVar[tuple[str, ...]] = ()
    is_cached: ClassVar[bool] = False

    def is_wanted(self, options: ProcessingOptions) -> bool:
        """Tell whether a job with these options runs this stage."""
        if self.serves_delivery and not options.separates:
            return False
        return self.essential or self.name in options.stages

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """Give the options that change this stage's result, for the manifest."""
        return {}

    def warm_up(self, runtime: Runtime) -> None:  # noqa: B027 - most stages need none
        """Do what makes the first job as fast as the next; called when a worker starts."""


class TrackStage(PipelineStage):
    """A step of every mixture."""

    def identity(self, context: StageContext) -> dict[str, Any] | None:
        """Give all that the result depends on beside the mixture and `inputs`, for JSON.

        None: the result can't be told from others, and is not kept.
        """
        return self.parameters(context.options)

    def validate_input(self, context: StageContext) -> None:
        """Check what the stage needs before it starts. Raises a `StemcrateError`."""

    @abstractmethod
    def execute(self, context: StageContext) -> StageResult:
        """Do the step. Raises `JobCancelled` soon after the context says so."""


class JobStage(PipelineStage):
    """A step of the whole job, after all its tracks."""

    scope = "job"

    def validate_input(self, context: JobContext) -> None:
        """Check what the stage needs before it starts. Raises a `StemcrateError`."""

    @abstractmethod
    def execute(self, context: JobContext) -> StageResult:
        """Do the step."""
