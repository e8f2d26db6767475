"""Renders through the real queue, the real engine and real worker processes."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from core.artifacts.renders import RenderStore
from core.errors import RenderNotFinished, RenderNotFound
from core.jobs.render_sweep import RenderSweep
from core.jobs.renders import RenderService
from core.library.libraries import Libraries
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.renders import MixRequest, RenderRecord
from tests.integration.jobs.installation import Installation, Worker, on_both_databases
from tests.rendered import RATE, GivenTrack, make_job
from tests.signals import make_song


def service(house: Installation) -> RenderService:
    return RenderService(house.store, house.queue, house.log, house.library)


def short_job(house: Installation) -> str:
    song = make_song(2.0, RATE)
    return make_job(house.store, GivenTrack({"vocals": song, "drums": song}))


def long_request(house: Installation) -> MixRequest:
    """A mix that takes a while: 16 s, stretched to 32 s."""
    song = np.tile(make_song(4.0, 48_000), 4)
    job_id = make_job(house.store, GivenTrack({"vocals": song}, sample_rate=48_000))
    return MixRequest(job_id=job_id, tempo_ratio=0.5)


def wait_for_end(house: Installation, id: str) -> RenderRecord:
    renders = RenderStore(house.data_dir)
    house.wait_until(lambda: renders.load(id).state.is_final)
    return renders.load(id)


def wait_for_work(house: Installation, id: str) -> None:
    """Wait until a process writes the sum."""
    house.wait_until(lambda: list((house.data_dir / "renders" / id).glob(".work-*/sum.wav")))


def child_with_file(worker: Worker, id: str) -> psutil.Process:
    """The process that has a file of this render open."""
    for process in worker.children():
        if any(id in file.path for file in process.open_files()):
            return process
    raise AssertionError("no process has the render open")


@on_both_databases
def test_a_mix_is_made_once_and_answered_from_then_on(house: Installation) -> None:
    """The same request is the same file; a second worker run would be wasted."""
    house.start_worker()
    request = MixRequest(job_id=short_job(house), format="flac", gain_db=-1.0)

    first = service(house).request(request)
    assert first.state == JobState.QUEUED
    done = wait_for_end(house, first.id)

    assert done.state == JobState.COMPLETED, done.error
    assert done.file is not None
    again = service(house).request(request)
    assert (again.id, again.run, again.state) == (done.id, done.run, JobState.COMPLETED)
    path = service(house).renders.audio_path(again)
    assert soundfile.info(path).frames == 2 * RATE
    assert path.stat().st_size == done.file.bytes
    assert service(house).fraction(again) == 1.0
    assert sorted(p.name for p in path.parent.iterdir()) == ["audio", "render.json"]


@on_both_databases
def test_a_render_outlives_its_worker(house: Installation) -> None:
    """SIGKILL in the middle: the next worker makes it, and no process is left behind."""
    first = house.start_worker()
    id = service(house).request(long_request(house)).id
    wait_for_work(house, id)
    first.kill()
    house.wait_until(first.leaves_no_orphan)
    assert RenderStore(house.data_dir).load(id).state == JobState.RUNNING

    house.start_worker()
    assert wait_for_end(house, id).state == JobState.COMPLETED


def test_a_render_whose_process_dies_is_tried_again(house: Installation) -> None:
    worker = house.start_worker()
    id = service(house).request(long_request(house)).id
    wait_for_work(house, id)
    child_with_file(worker, id).kill()

    assert wait_for_end(house, id).state == JobState.COMPLETED
    assert worker.process.poll() is None


def test_progress_goes_forward(house: Installation) -> None:
    house.start_worker()
    renders = service(house)
    id = renders.request(long_request(house)).id
    seen = [0.0]

    def has_ended() -> bool:
        record = renders.renders.load(id)
        seen.append(renders.fraction(record))
        return record.state.is_final

    house.wait_until(has_ended)
    assert any(0 < fraction < 1 for fraction in seen)
    assert seen[-1] == 1.0
    rising = [f for f in seen[:-1] if f]
    assert rising == sorted(rising)


@on_both_databases
def test_a_deleted_render_stops_and_leaves_nothing(house: Installation) -> None:
    """Cancel: the process ends, the folder goes, and the worker makes the next one."""
    worker = house.start_worker()
    request = long_request(house)
    id = service(house).request(request).id
    wait_for_work(house, id)
    child = child_with_file(worker, id)

    service(house).delete(id)

    house.wait_until(lambda: not child.is_running())
    house.wait_until(lambda: not (house.data_dir / "renders" / id).exists())
    with pytest.raises(RenderNotFound):
        service(house).renders.load(id)
    second = service(house).request(MixRequest(job_id=short_job(house)))
    assert wait_for_end(house, second.id).state == JobState.COMPLETED
    # The same request after a delete is made anew, though the engine knows its first run.
    anew = service(house).request(MixRequest(job_id=request.job_id, end_s=3.0))
    service(house).delete(anew.id)
    last = service(house).request(MixRequest(job_id=request.job_id, end_s=3.0))
    assert last.id == anew.id
    assert wait_for_end(house, last.id).state == JobState.COMPLETED


def test_renders_go_with_their_job(house: Installation) -> None:
    house.start_worker()
    job_id = short_job(house)
    id = service(house).request(MixRequest(job_id=job_id)).id
    wait_for_end(house, id)
    house.service.delete(job_id)
    assert not (house.data_dir / "renders" / id).exists()


def test_a_render_that_fails_says_why_and_is_made_again_on_request(house: Installation) -> None:
    """A damaged stem is found only when it is read."""
    house.start_worker()
    job_id = short_job(house)
    path = next(house.store.job_folder(job_id).rglob("vocals.wav"))
    whole = path.read_bytes()
    path.write_bytes(bytes(64) + whole[64:])

    failed = wait_for_end(house, service(house).request(MixRequest(job_id=job_id)).id)

    assert failed.state == JobState.FAILED
    assert failed.error is not None
    assert failed.error.code == "corrupt_audio"
    with pytest.raises(RenderNotFinished, match="failed"):
        service(house).renders.audio_path(failed)
    path.write_bytes(whole)
    again = service(house).request(MixRequest(job_id=job_id))
    assert again.run != failed.run
    assert wait_for_end(house, again.id).state == JobState.COMPLETED


def sweep(house: Installation, **limits: Any) -> None:
    limits = {"days": 7.0, "max_bytes": 10**9, **limits}
    libraries = Libraries(house.data_dir, house.url)
    RenderSweep(house.store, libraries, house.queue, **limits).look()


@on_both_databases
def test_a_render_that_the_engine_gave_up_is_closed(house: Installation) -> None:
    """It would wait for ever otherwise."""
    record = service(house).request(MixRequest(job_id=short_job(house)))
    sweep(house)
    assert RenderStore(house.data_dir).load(record.id).state == JobState.QUEUED
    house.set_workflow(f"{record.id}.{record.run}", status="ERROR")
    sweep(house)
    closed = RenderStore(house.data_dir).load(record.id)
    assert closed.state == JobState.FAILED
    assert closed.error is not None
    assert closed.error.code == "worker_lost"


def test_old_and_large_renders_are_removed(house: Installation) -> None:
    """The least recently used go first; one that waits stays, whatever its age."""
    house.start_worker()
    job_id = short_job(house)
    renders = service(house)
    ids = [renders.request(MixRequest(job_id=job_id, gain_db=-gain)).id for gain in (1, 2, 3)]
    for id in ids:
        assert wait_for_end(house, id).state == JobState.COMPLETED
    for worker in house.workers:
        worker.kill()
    waiting = renders.request(MixRequest(job_id=job_id, gain_db=-4)).id
    day_s = 86_400
    for id, days in ((ids[0], 8), (ids[1], 2), (ids[2], 1), (waiting, 30)):
        _use_before(house.data_dir / "renders" / id / "render.json", days * day_s)

    sweep(house)
    assert _kept(house) == {ids[1], ids[2], waiting}
    one = renders.renders.load(ids[1]).file
    assert one is not None
    renders.renders.audio_path(renders.renders.load(ids[1]))  # now it was used last
    sweep(house, max_bytes=round(one.bytes * 1.5))
    assert _kept(house) == {ids[1], waiting}


def _use_before(path: Path, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def _kept(house: Installation) -> set[str]:
    return {path.name for path in (house.data_dir / "renders").iterdir()}


def test_a_stopped_worker_leaves_its_render_to_the_next(house: Installation) -> None:
    """SIGTERM: exit code 0 at once, and the render is not failed."""
    first = house.start_worker()
    id = service(house).request(long_request(house)).id
    wait_for_work(house, id)
    first.children()
    first.process.send_signal(signal.SIGTERM)

    assert first.process.wait(120) == 0
    house.wait_until(first.leaves_no_orphan)
    assert RenderStore(house.data_dir).load(id).state == JobState.RUNNING
