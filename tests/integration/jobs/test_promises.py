"""What the endurance runs call a broken promise: each kind is seen."""

from collections.abc import Callable

import pytest

from bench.promises import FinishedStages, Verdict, artefacts, check, sources
from stemcrate.schemas.manifest import JobState, ProcessingManifest, StageState
from tests.integration.jobs.installation import Installation

Damage = Callable[[Installation, str], None]


def in_manifest(change: Callable[[ProcessingManifest], None]) -> Damage:
    def damage(house: Installation, job_id: str) -> None:
        with house.store.update(job_id) as manifest:
            change(manifest)

    return damage


def delete_file(house: Installation, job_id: str) -> None:
    (house.store.job_folder(job_id) / "sum.txt").unlink()


def change_file(house: Installation, job_id: str) -> None:
    (house.store.job_folder(job_id) / "sum.txt").write_text("2")


def delete_job(house: Installation, job_id: str) -> None:
    house.store.delete(job_id)


def run_again(house: Installation, job_id: str) -> None:
    for state in ("completed", "running"):
        told = {"stage": "work", "track_index": 0, "state": state}
        house.log.append(job_id, {"kind": "stage", **told})


@in_manifest
def drop_artefact(manifest: ProcessingManifest) -> None:
    manifest.tracks[0].artefacts.clear()


@in_manifest
def leave_open(manifest: ProcessingManifest) -> None:
    manifest.state = JobState.RUNNING


@in_manifest
def fail_track(manifest: ProcessingManifest) -> None:
    manifest.tracks[0].state = JobState.FAILED


@in_manifest
def count_attempt(manifest: ProcessingManifest) -> None:
    manifest.stage("read", 0).attempts += 1


@in_manifest
def open_stage(manifest: ProcessingManifest) -> None:
    manifest.stage("describe", 0).state = StageState.RUNNING


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (delete_file, "sum.txt of {} is missing or differs"),
        (change_file, "sum.txt of {} is missing or differs"),
        (drop_artefact, "0/work.txt of {} is missing or differs"),
        (delete_job, "job {} was accepted and is gone"),
        (leave_open, "job {} has not ended"),
        (fail_track, "track 0 of {} ended as failed: "),
        (run_again, "stage work of {}, track 0, ran again after it had finished"),
        (count_attempt, "stage read of {}, track 0, ran again after it had finished"),
        (open_stage, "stage describe of {}, track 0, ran again after it had finished"),
    ],
)
def test_a_broken_promise_is_seen(house: Installation, damage: Damage, fault: str) -> None:
    """A check that sees nothing would print zeros for ever."""
    job_id = house.submit("work=0.1")
    house.pipeline.run(job_id, house.pipeline.run_stage)
    manifest = house.manifest(job_id)
    expected = {sources(manifest): artefacts(manifest)}
    finished = FinishedStages(house.store)

    def faults() -> list[str]:
        verdict = Verdict()
        check(house.store, house.log, [job_id], finished, expected, verdict)
        return verdict.faults

    assert faults() == []
    damage(house, job_id)
    assert faults() == [fault.format(job_id)]
