"""A real pipeline of small stages whose behaviour the uploaded text decides.

The upload holds words: ``work=0.6`` (seconds of the main stage), ``until=/a/file`` (it goes on
until this file is there), ``stuck`` (it never ends at its first attempt), ``stuck=3 grows`` (nor at
the two that follow; each keeps one file more), ``deaf`` (it does not listen to cancel), ``poison``
(its process kills itself, each time), ``broken`` (it raises). A WAV file holds no words.
"""

import os
import signal
import time
from pathlib import Path

from core.artifacts.store import JobStore
from core.errors import CorruptAudio
from core.pipeline.context import JobContext, StageContext
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.results import PlaylistResult, StageResult
from core.pipeline.runtime import Runtime
from core.pipeline.stage import JobStage, TrackStage
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.sets import SetDescription

FACTORY = "tests.integration.jobs.stages_for_tests:build_pipeline_for_tests"


def behaviour(context: StageContext) -> dict[str, str]:
    data = context.source.read_bytes()
    words = [] if data.startswith(b"RIFF") else data.decode().split()
    return {name: value for name, _, value in (word.partition("=") for word in words)}


class ReadStage(TrackStage):
    name = "read"
    essential = True
    cost = 1.0

    def execute(self, context: StageContext) -> StageResult:
        return StageResult.model_validate({"words": behaviour(context)})


class WorkStage(TrackStage):
    name = "work"
    essential = True
    queue = "gpu"
    cost = 10.0

    def execute(self, context: StageContext) -> StageResult:
        with context.kept_folder("half") as folder:
            self._work(context, folder)
        with context.artefact(
            f"{context.track.index}/work.txt", role="stem", label="work", format="txt"
        ) as path:
            path.write_text(str(os.getpid()))
        return StageResult.model_validate({"pid": os.getpid()})

    def _work(self, context: StageContext, folder: Path) -> None:
        asked = behaviour(context)
        n_before = len(list(folder.iterdir()))
        if not n_before or "grows" in asked:
            (folder / f"{n_before}.txt").write_text("a chunk")
        if "poison" in asked:
            os.kill(os.getpid(), signal.SIGKILL)
        if "broken" in asked:
            raise CorruptAudio("broken, as asked")
        started = time.monotonic()
        is_stuck = "stuck" in asked and n_before < int(asked["stuck"] or 1)
        seconds = 600.0 if is_stuck else float(asked.get("work", 0.1))
        awaited = Path(asked.get("until", "/"))
        while (elapsed := time.monotonic() - started) < seconds or not awaited.exists():
            time.sleep(0.02)
            if "deaf" not in asked:
                context.progress(min(1.0, elapsed / seconds))


class DescribeStage(TrackStage):
    name = "describe"
    essential = True
    cost = 2.0

    def execute(self, context: StageContext) -> StageResult:
        time.sleep(0.1)
        return StageResult(facts=TrackFacts.model_validate({"pid": os.getpid()}))


class SumStage(JobStage):
    name = "sum"
    essential = True

    def execute(self, context: JobContext) -> StageResult:
        with context.artefact("sum.txt", role="playlist", label="sum", format="txt") as path:
            path.write_text(str(len(context.tracks)))
        return PlaylistResult(playlist=SetDescription(score=len(context.tracks)))


def build_pipeline_for_tests(store: JobStore, runtime: Runtime) -> AudioPipeline:
    return AudioPipeline((ReadStage(), WorkStage(), DescribeStage(), SumStage()), store, runtime)


def work_files(store: JobStore, job_id: str) -> list[Path]:
    """List the files and folders of a job's work folder, which a worker may remove meanwhile."""
    walked = os.walk(store.work_folder(job_id))  # leaves out folders that have vanished
    return [Path(folder, name) for folder, folders, files in walked for name in folders + files]
