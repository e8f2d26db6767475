"""Executes a stage, or takes its result from the cache; an exception becomes a failed `Outcome`.

`AudioPipeline` decides which stage is attempted, and enters the `Outcome` into the manifest.
"""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from core.artifacts.cache import StageCache, make_key
from core.errors import JobCancelled, StemcrateError
from core.pipeline.context import JobContext, StageContext
from core.pipeline.outcome import Outcome
from core.pipeline.results import StageResult
from core.pipeline.stage import AnyStage, ContextT, PipelineStage, TrackStage
from core.system.disk import storage_errors
from core.system.threads import one_blas_thread
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.manifest import StageState, StageWarning

logger = logging.getLogger(__name__)


def execute_stage(
    stage: AnyStage,
    context: StageContext | JobContext,
    cache: StageCache,
    *,
    is_given_up: Callable[[], bool],
) -> Outcome:
    """Run a stage.

    ``is_given_up`` returns whether the attempt's result is no longer wanted, because the job was
    deleted or another attempt has begun. Its files are gone then: a stage that misses them did not
    fail, and its result is not kept.
    """
    try:
        context.check_cancelled()
        with storage_errors(Path(stage.name)):
            if isinstance(stage, TrackStage):
                assert isinstance(context, StageContext)
                return _execute_cached(stage, context, cache, is_given_up)
            assert isinstance(context, JobContext)
            stage.validate_input(context)
            result = _execute(stage, context)
    except Exception as error:  # a plug-in's stage may raise anything; it must not end the job
        if isinstance(error, JobCancelled) or is_given_up():
            return Outcome(StageState.CANCELLED, context)
        if isinstance(error, StemcrateError):
            logger.warning("%s failed: %s", stage.name, error)
        else:
            logger.exception("%s failed unexpectedly", stage.name)
        return Outcome(StageState.FAILED, context, error=error)
    return Outcome(StageState.COMPLETED, context, result=result)


def _execute_cached(
    stage: TrackStage, context: StageContext, cache: StageCache, is_given_up: Callable[[], bool]
) -> Outcome:
    """Run a track's stage, or reuse the result of an earlier job with the same inputs."""
    stage.validate_input(context)
    key = _find_key(stage, context)
    mixture = context.track.source.sha256
    if stage.is_cached and key is not None:
        found = context.take_from(cache, key)
        if found is not None:
            context.warnings += [StageWarning.model_validate(w) for w in found["warnings"]]
            facts = JobFacts.model_validate(found["analysis"])
            result = stage.result_type.model_validate({**found["data"], "facts": facts})
            return Outcome(
                StageState.COMPLETED, context, result=result, cache_key=key, cache_hit=True
            )
    result = _execute(stage, context)
    if stage.is_cached and key is not None and not is_given_up():
        warnings = [warning.model_dump(mode="json") for warning in context.warnings]
        found = {
            "data": result.model_dump(mode="json", exclude_unset=True),
            "analysis": result.facts.model_dump(mode="json"),
            "warnings": warnings,
        }
        cache.put(mixture, key, found, context.written)
    return Outcome(StageState.COMPLETED, context, result=result, cache_key=key)


def _execute(stage: PipelineStage[ContextT], context: ContextT) -> StageResult:
    """Execute a stage; those of the CPU run side by side, one BLAS thread each."""
    with one_blas_thread() if stage.queue == "cpu" else nullcontext():
        return stage.execute(context)


def _find_key(stage: TrackStage, context: StageContext) -> str | None:
    """Return the cache key of a stage's result; None if its inputs cannot be identified."""
    identity = stage.identity(context)
    keys: list[str | None] = []
    for name in stage.inputs:
        record = next((r for r in context.track.stages if r.name == name), None)
        if record is None or record.state != StageState.COMPLETED:
            keys.append(None)
        elif record.cache_key is None:
            return None
        else:
            keys.append(record.cache_key)
    if identity is None:
        return None
    mixture = context.track.source.sha256
    return make_key([mixture, stage.name, stage.version, identity, keys])
