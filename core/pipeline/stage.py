"""The stage: one step of the pipeline, with its own record in the manifest."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Literal, TypeVar

from core.pipeline.context import JobContext, StageContext
from core.pipeline.results import StageResult
from core.pipeline.runtime import Runtime
from stemcrate.schemas.options import ProcessingOptions

ContextT = TypeVar("ContextT", StageContext, JobContext)


class PipelineStage(ABC, Generic[ContextT]):
    """One step. Stages are independent: they meet only in their contexts.

    Attributes
    ----------
    name : the word for this stage in the manifest, the API and on the screen.
    version : raised whenever the same input gives another result.
    result_type : what `execute` returns.
    essential : whether a track without this stage's result is of no use. A stage that is not
        essential fails open: its error is recorded and the job goes on.
    queue : ``gpu`` for separation, ``cpu`` for the rest.
    serves_delivery : whether the stage is there for the files of a job; one that separates nothing
        (`ProcessingOptions.separates`) has none and leaves it out.
    cost : CPU time relative to the other stages, for the progress of the whole job.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    result_type: ClassVar[type[StageResult]] = StageResult
    essential: ClassVar[bool] = False
    queue: ClassVar[Literal["gpu", "cpu"]] = "cpu"
    serves_delivery: ClassVar[bool] = False
    cost: ClassVar[float] = 1.0

    def is_wanted(self, options: ProcessingOptions) -> bool:
        """Return whether a job with these options runs this stage."""
        if self.serves_delivery and not options.separates:
            return False
        return self.essential or self.name in options.stages

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """Return the options that change this stage's result, for the manifest."""
        return {}

    def warm_up(self, runtime: Runtime) -> None:
        """Prepare, so that the first job is as fast as the next; called when a worker starts."""

    def validate_input(self, context: ContextT) -> None:
        """Check what the stage needs before it starts. Raises a `StemcrateError`."""

    @abstractmethod
    def execute(self, context: ContextT) -> StageResult:
        """Run the step. Raises `JobCancelled` soon after the context reports a cancel."""


class TrackStage(PipelineStage[StageContext]):
    """A step of every mixture.

    Attributes
    ----------
    inputs : names of the track's stages that the result depends on.
    is_cached : whether the result is kept for other jobs with the same mixture. Only for stages
        that write no artefacts and don't look at names.
    """

    inputs: ClassVar[tuple[str, ...]] = ()
    is_cached: ClassVar[bool] = False

    def identity(self, context: StageContext) -> dict[str, Any] | None:
        """Return all that the result depends on beside the mixture and `inputs`, for JSON.

        None: the inputs cannot be identified, so the result is not cached.
        """
        return self.parameters(context.options)


class JobStage(PipelineStage[JobContext]):
    """A step of the whole job, after all its tracks."""


AnyStage = TrackStage | JobStage
