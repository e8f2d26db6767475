"""Kills, restarts, pauses, a full disk and a database that is away: what they cost.

    python -m bench.endurance [--json] [--short] [sqlite postgresql] [kills restarts …]

Starts API and workers as processes, disturbs them while jobs run, and checks from outside that
every accepted track ends with its files, that no finished stage runs twice, and that no artefact is
missing or differs from its SHA-256 in the manifest and from what the same job gives undisturbed.
Prints a row for each experiment and database, and ends with exit code 1 if a promise was broken.
``disk`` needs the right to mount a file system, ``postgresql`` its programs.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.databases import locked, own_server
from bench.ground import LONG, SEED, SHORT, Extent, Ground
from bench.promises import Verdict
from bench.served import POLL_S, STAGE, Unmet, wait_for
from bench.small_disk import SmallDisk, small_disk
from bench.trial import Recordings, Trial
from core.jobs.worker import FENCED_EXIT_CODE
from core.system.database import sqlite_path
from stemcrate.schemas.manifest import StageState

DATABASES = ("sqlite", "postgresql")
EVERY_STAGE: dict[str, str] = {}
SEPARATION = {"stages": "tempo"}
"""Options of jobs that are here to be separated."""


def kills(ground: Ground) -> Verdict:
    """Kill everything at random moments, some of them while it starts, while jobs come in."""
    extent = ground.extent
    with ground.trial(ground.jobs(), EVERY_STAGE) as trial, trial.submitting() as due:
        for n in range(extent.n_kills):
            n_due = extent.n_jobs * (n + 1) // extent.n_kills - extent.n_jobs * n // extent.n_kills
            for _ in range(n_due):
                due.release()
            trial.served.start()
            if ground.rng.random() > 0.25:
                trial.served.wait_until_ready()
            time.sleep(ground.rng.uniform(0.5, extent.up_s))
            trial.served.kill()
            trial.disturbed()
        trial.served.start()
    return trial.verdict


def restarts(ground: Ground) -> Verdict:
    """Stop everything by SIGTERM, several times during one separation."""
    with ground.trial(ground.long_jobs(1), SEPARATION) as trial:
        trial.served.start()
        job_id = trial.submit_patiently(trial.jobs[0])
        for n in range(1, ground.extent.n_restarts + 1):
            trial.wait_for_chunks(job_id, attempt=n)
            trial.served.stop()
            record = trial.served.store.load(job_id).stage(STAGE, 0)
            if record.state != StageState.PENDING:
                raise Unmet(f"after stop {n} the separation is {record.state}")
            trial.disturbed()
            trial.served.start()
        trial.wait_for_end()
        deaths = trial.served.store.load(job_id).stage(STAGE, 0).deaths
        if deaths.process or deaths.worker:
            trial.verdict.faults.append(f"clean restarts were counted as deaths: {deaths}")
    return trial.verdict


def pause(ground: Ground) -> Verdict:
    """Pause the worker that separates, take its lock, and let it go on beside its successor."""
    jobs = ground.long_jobs(ground.extent.n_pauses)
    with ground.trial(jobs, SEPARATION, n_workers=2) as trial:
        trial.served.start()
        for job in trial.jobs:
            trial.served.wait_until_ready()
            job_id = trial.submit_patiently(job)
            trial.wait_for_chunks(job_id, attempt=1)
            executor_id = trial.served.executor_of(job_id)
            with trial.served.paused(executor_id, job_id) as worker:
                trial.served.lose_lock(executor_id, worker)
                trial.wait_for_chunks(job_id, attempt=2)
            trial.disturbed()
            _wait_for_fences(trial)
            trial.wait_for_end()
    return trial.verdict


def _wait_for_fences(trial: Trial) -> None:
    """Wait until each worker that was paused has given way."""
    fenced = f"ended with code {FENCED_EXIT_CODE}"
    wait_for(
        "the paused worker gives way",
        lambda: trial.served.console.read_text().count(fenced) == trial.verdict.n_disturbances,
    )


def disk(ground: Ground) -> Verdict:
    """Fill the disk of the data folder while jobs run; try again what failed for that."""
    extent = ground.extent
    min_free_bytes = extent.disk_bytes // 100
    with (
        small_disk(ground.home / "disk", extent.disk_bytes) as small,
        ground.trial(
            ground.jobs()[: extent.n_fills],
            EVERY_STAGE,
            data_dir=small.folder / "data",
            min_free_bytes=min_free_bytes,
        ) as trial,
    ):
        trial.served.start()
        trial.served.wait_until_ready()
        for job in trial.jobs:
            trial.submit_patiently(job)
            trial.wait_for_work()
            time.sleep(ground.rng.uniform(0, extent.up_s / 2))
            _check_refusal(trial, small, job, min_free_bytes)
            _keep_full(small, ground.rng.uniform(1, extent.full_s))
            small.free()
            trial.disturbed()
        trial.wait_for_end()
        trial.retry_failed("storage_full")
    return trial.verdict


def _check_refusal(trial: Trial, small: SmallDisk, job: Recordings, min_free_bytes: int) -> None:
    """Check what the API says of a disk that was full before and after it answered."""
    while True:
        small.fill()
        is_accepted = trial.submit(job) is not None
        is_reported = trial.served.client.get_health().status == "disk_full"
        if small.fill() < min_free_bytes:  # else a job failed meanwhile, and gave its files up
            break
    if is_accepted:
        trial.verdict.faults.append("a job was accepted on a full disk")
    if not is_reported:
        trial.verdict.faults.append("a full disk was not reported")


def _keep_full(small: SmallDisk, seconds: float) -> None:
    """Take at once what jobs give up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        small.fill()
        time.sleep(POLL_S)


def database(ground: Ground) -> Verdict:
    """Stop PostgreSQL, or lock the SQLite file, while jobs run."""
    with ground.trial(ground.jobs(), EVERY_STAGE) as trial:
        trial.served.start()
        trial.served.wait_until_ready()
        for n in range(ground.extent.n_outages):
            for job in trial.jobs[n :: ground.extent.n_outages]:
                trial.submit_patiently(job)
            trial.wait_for_work()
            time.sleep(ground.rng.uniform(0, 2.0))
            if ground.server:
                ground.server.stop()
                time.sleep(ground.extent.away_s)
                ground.server.start()
            else:
                with locked(sqlite_path(trial.served.url)):
                    time.sleep(ground.extent.away_s)
            trial.disturbed()
    return trial.verdict


EXPERIMENTS: dict[str, Callable[[Ground], Verdict]] = {
    experiment.__name__: experiment for experiment in (kills, restarts, pause, disk, database)
}


def run_experiment(name: str, database_name: str, extent: Extent, folder: Path) -> Verdict:
    """Run one experiment in a folder; what jobs give undisturbed is kept there for the next.

    Raises
    ------
    FileNotFoundError : PostgreSQL, or for ``disk`` the program ``mount``, is not installed.
    PermissionError : ``disk`` may not mount a file system.
    """
    with ExitStack() as stack:
        server = stack.enter_context(own_server()) if database_name == "postgresql" else None
        home = Path(stack.enter_context(TemporaryDirectory(dir=folder, prefix=f"{name}-")))
        ground = Ground(extent, folder, home, server, random.Random(SEED))
        return EXPERIMENTS[name](ground)


HEAD = (
    "experiment",
    "database",
    "times",
    "jobs",
    "tracks",
    "completed",
    "failed",
    "jobs tried again",
    "stages run twice",
    "artefacts wrong",
    "seconds",
)


def row(name: str, database_name: str, verdict: Verdict) -> tuple[str, ...]:
    """Return the cells of a verdict, as in `HEAD`."""
    counts = (
        verdict.n_disturbances,
        verdict.n_jobs,
        verdict.n_tracks,
        verdict.n_completed,
        ", ".join(f"{n} {code}" for code, n in sorted(verdict.failed.items())) or 0,
        verdict.n_retried,
        verdict.n_repeated,
        f"{verdict.n_wrong} of {verdict.n_artefacts}",
        round(verdict.seconds),
    )
    return (name, database_name, *map(str, counts))


def _print_row(cells: Sequence[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    unknown = set(words) - {*DATABASES, *EXPERIMENTS}
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    extent = SHORT if "--short" in sys.argv else LONG
    is_table = "--json" not in sys.argv
    verdicts: dict[str, Verdict] = {}
    if is_table:
        _print_row(HEAD)
        _print_row(["---"] * len(HEAD))
    with TemporaryDirectory(prefix="endurance-") as folder:
        for name in [name for name in EXPERIMENTS if name in words] or EXPERIMENTS:
            for database_name in [one for one in DATABASES if one in words] or DATABASES:
                verdict = run_experiment(name, database_name, extent, Path(folder))
                verdicts[f"{name}/{database_name}"] = verdict
                if is_table:
                    _print_row(row(name, database_name, verdict))
                for fault in verdict.faults:
                    print(f"{name} on {database_name}: {fault}", file=sys.stderr)
    if not is_table:
        print(json.dumps({key: asdict(verdict) for key, verdict in verdicts.items()}))
    return int(any(verdict.faults for verdict in verdicts.values()))


if __name__ == "__main__":
    sys.exit(main())
