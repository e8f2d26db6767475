"""What an experiment of `bench.endurance` stands on: its extent, recordings and database."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.databases import Server
from bench.served import Unmet, served
from bench.trial import FORMATS, Recordings, Trial, undisturbed, write_recording

SEED = 2026


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is done.

    Attributes
    ----------
    n_jobs, n_tracks, track_s : jobs of one to ``n_tracks`` recordings, of these seconds each.
    long_s : seconds of the recording whose separation is disturbed.
    up_s : longest time between a start and a kill.
    n_fills, full_s : how often the disk is full, and how long at most.
    n_outages, away_s : how often the database is away, and how long.
    """

    n_jobs: int
    n_tracks: int
    track_s: tuple[int, int]
    long_s: int
    n_kills: int
    up_s: float
    n_restarts: int
    n_pauses: int
    n_fills: int
    full_s: float
    disk_bytes: int
    n_outages: int
    away_s: float


SHORT = Extent(
    n_jobs=3,
    n_tracks=2,
    track_s=(4, 6),
    long_s=150,
    n_kills=4,
    up_s=6.0,
    n_restarts=5,
    n_pauses=1,
    n_fills=2,
    full_s=4.0,
    disk_bytes=150_000_000,
    n_outages=1,
    away_s=15.0,
)
LONG = Extent(
    n_jobs=20,
    n_tracks=4,
    track_s=(5, 9),
    long_s=600,
    n_kills=20,
    up_s=13.0,
    n_restarts=5,
    n_pauses=3,
    n_fills=7,
    full_s=60.0,
    disk_bytes=1_500_000_000,
    n_outages=1,
    away_s=120.0,
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What an experiment stands on.

    Attributes
    ----------
    shared : folder of recordings, and of what jobs give undisturbed.
    home : folder of this experiment alone.
    server : PostgreSQL, None for SQLite.
    """

    extent: Extent
    shared: Path
    home: Path
    server: Server | None
    rng: random.Random

    @property
    def url(self) -> str:
        return self.server.url if self.server else ""

    def jobs(self) -> list[Recordings]:
        """Return jobs of short recordings, each of which is in one job only."""
        lengths = random.Random(SEED)
        made = []
        for n in range(self.extent.n_jobs):
            n_tracks = 1 + n % self.extent.n_tracks
            made.append(
                tuple(
                    write_recording(
                        self._recording(f"{n}-{i}", FORMATS[(n + i) % len(FORMATS)]),
                        lengths.randint(*self.extent.track_s),
                        seed=100 * n + i,
                    )
                    for i in range(n_tracks)
                )
            )
        return made

    def long_jobs(self, n_jobs: int) -> list[Recordings]:
        """Return jobs of one long recording."""
        return [
            (write_recording(self._recording(f"long-{n}", "m4a"), self.extent.long_s, 10_000 + n),)
            for n in range(n_jobs)
        ]

    def _recording(self, name: str, format: str) -> Path:
        return self.shared / "recordings" / f"{name}.{format}"

    @contextmanager
    def trial(
        self,
        jobs: list[Recordings],
        options: dict[str, str],
        *,
        data_dir: Path | None = None,
        n_workers: int = 1,
        min_free_bytes: int = 0,
    ) -> Iterator[Trial]:
        """Yield a trial of jobs on a new installation, and check it when the block has ended."""
        expected = undisturbed(jobs, options, self.shared / "undisturbed")
        began = time.monotonic()
        with served(
            data_dir or self.home / "data",
            database_url=self.url,
            n_workers=n_workers,
            min_free_bytes=min_free_bytes,
        ) as installation:
            trial = Trial(installation, jobs, options, self.rng)
            try:
                yield trial
                trial.wait_for_end()
            except Unmet as unmet:
                trial.verdict.faults.append(str(unmet))
            trial.verdict.seconds = time.monotonic() - began
            trial.conclude(expected)
