"""The job machine never leaves its legal states, whatever happens in whatever order."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.errors import CorruptAudio, JobNotRetryable
from core.pipeline.context import JobContext, StageContext
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.results import PlaylistResult, StageResult
from core.pipeline.retrying import can_retry, retry_job
from core.pipeline.stage import JobStage, TrackStage
from core.pipeline.stage_ref import StageRef
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.manifest import Failure, JobState, StageState
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.sets import SetDescription

LEGAL = {
    JobState.QUEUED: {JobState.RUNNING, JobState.CANCELLED, JobState.FAILED, JobState.COMPLETED},
    JobState.RUNNING: {JobState.CANCELLED, JobState.FAILED, JobState.COMPLETED},
    **{state: {JobState.QUEUED} for state in JobState if state.is_final},
}
mood = {"fails": False}


class _Listen(TrackStage):
    name = "decode"
    essential = True

    def execute(self, context: StageContext) -> StageResult:
        if mood["fails"]:
            raise CorruptAudio("broken")
        return StageResult.model_validate({"heard": True})


class _Guess(TrackStage):
    name = "tempo"

    def execute(self, context: StageContext) -> StageResult:
        if mood["fails"]:
            raise RuntimeError("no idea")
        return StageResult(facts=TrackFacts(tempo_bpm=120.0))


class _Order(JobStage):
    name = "playlist"

    def execute(self, context: JobContext) -> StageResult:
        return PlaylistResult(playlist=SetDescription(name="set"))


class JobMachine(RuleBasedStateMachine):
    """Calls that workers, the API and the reaper may make, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.pipeline = AudioPipeline((_Listen(), _Guess(), _Order()), JobStore(self.folder))
        job_id = new_job_id()
        with self.pipeline.store.open_upload("a.wav", 10) as upload:
            upload.write(b"x")
            taken = upload.commit(job_id)
        manifest = self.pipeline.create_job([taken], ProcessingOptions(), job_id=job_id)
        self.job_id = manifest.job_id
        self.seen = manifest.state

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule()
    def start(self) -> None:
        self.pipeline.start(self.job_id)

    @rule(name=st.sampled_from(["decode", "tempo"]), fails=st.booleans())
    def run_stage(self, name: str, fails: bool) -> None:
        mood["fails"] = fails
        self.pipeline.run_stage(StageRef(self.job_id, name, 0))

    @rule()
    def run_job_stage(self) -> None:
        self.pipeline.run_stage(StageRef(self.job_id, "playlist"))

    @rule()
    def cancel(self) -> None:
        self.pipeline.cancel(self.job_id)

    @rule(failed=st.booleans(), retryable=st.booleans())
    def close(self, failed: bool, retryable: bool) -> None:
        failure = Failure(code="worker_lost", message="gone", retryable=retryable)
        self.pipeline.close(self.job_id, failure if failed else None)

    @rule()
    def retry(self) -> None:
        before = self.pipeline.store.load(self.job_id)
        if can_retry(before, self.pipeline.store):
            after = retry_job(self.pipeline.store, self.job_id)
            assert after.state == JobState.QUEUED
            assert not any(record.state == StageState.RUNNING for record in after.all_stages())
        else:
            with pytest.raises(JobNotRetryable):
                retry_job(self.pipeline.store, self.job_id)

    @invariant()
    def the_manifest_is_legal(self) -> None:
        manifest = self.pipeline.store.load(self.job_id)
        if manifest.state != self.seen:
            assert manifest.state in LEGAL[self.seen]
            self.seen = manifest.state
        if manifest.state.is_final:
            assert manifest.finished_at is not None
        if manifest.state == JobState.FAILED:
            assert manifest.error is not None
        if manifest.state == JobState.COMPLETED:
            assert any(track.state == JobState.COMPLETED for track in manifest.tracks)
        for record in manifest.all_stages():
            assert (record.error is not None) == (record.state == StageState.FAILED)


TestJobMachine = JobMachine.TestCase
TestJobMachine.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
