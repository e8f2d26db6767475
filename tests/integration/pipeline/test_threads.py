"""What runs side by side multiplies on one thread each: stages of the CPU, and files analysed."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import core.audio.reading.decode
from core.analysis.file import analyse_file
from core.audio.reading.decode import read_through
from core.audio.reading.source import SourceFormat
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.results import StageResult
from core.pipeline.stage import TrackStage
from stemcrate.schemas.manifest import StageState
from stemcrate.schemas.options import ProcessingOptions
from tests.integration.pipeline.conftest import RunJob
from tests.signals import make_song, write_song


def count_threads() -> int:
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


class CountStage(TrackStage):
    """Notes on how many threads NumPy would multiply."""

    name = "count"

    def is_wanted(self, options: ProcessingOptions) -> bool:
        return True

    def execute(self, context: object) -> StageResult:
        return StageResult.model_validate({"threads": count_threads()})


class CountOnDeviceStage(CountStage):
    """The same where separation runs, alone on its machine."""

    name = "count_on_device"
    queue: ClassVar = "gpu"


def test_stages_of_the_cpu_multiply_on_one_thread(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    """Two jobs on two cores took four times the CPU time of their products."""
    pipeline.stages = (*pipeline.stages[:1], CountStage(), CountOnDeviceStage())
    path = write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100)
    with threadpool_limits(limits=2, user_api="blas"):
        manifest = run_job(path, stages=())
    records = [manifest.stage(name, 0) for name in ("count", "count_on_device")]
    assert {record.state for record in records} == {StageState.COMPLETED}
    assert [record.result["threads"] for record in records] == [1, 2]


def test_a_file_is_analysed_on_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`stemcrate analyze` runs as many processes as there are cores."""
    path = write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100)
    counts: list[int] = []

    def watch(*arguments: Any, **named: Any) -> tuple[SourceFormat, Any]:
        counts.append(count_threads())
        return read_through(*arguments, **named)

    monkeypatch.setattr(core.audio.reading.decode, "read_through", watch)
    with threadpool_limits(limits=2, user_api="blas"):
        analyse_file(path)
    assert counts == [1]
