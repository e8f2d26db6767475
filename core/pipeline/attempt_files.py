"""The files of one attempt at a stage: in a folder of its own until the attempt is over.

    .work/{track}/…                            what completed stages wrote for later ones
    .work/{track}/{stage}.{number}/work/…      what this attempt wrote for later stages
    .work/{track}/{stage}.{number}/artefacts/…     its artefacts
    .work/{track}/{stage}.{number}/kept/…      what the next attempt resumes from

So an attempt that was given up but still runs, on a machine that was paused for example, cannot
touch the files of its successor. `AttemptFiles.publish` moves all to their places; the caller holds
the job's lock and has checked that the attempt is the newest one (`core.pipeline.attempts`).
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.pipeline.stage_ref import Attempt, StageRef
from core.system.atomic import atomic_path, move_into_place

WORK, ARTEFACTS, KEPT = "work", "artefacts", "kept"


class AttemptFiles:
    """The files of one attempt.

    Parameters
    ----------
    shared : folder of the files between the stages of this track, or of the job.
    job_folder : folder of the job's artefacts.
    """

    def __init__(self, attempt: Attempt, shared: Path, job_folder: Path) -> None:
        self._shared = shared
        self._job_folder = job_folder
        self._attempt = attempt
        self._own = _folder(shared, attempt.ref.stage_name, attempt.number)
        self._published: list[str] = []

    @property
    def has_run(self) -> bool:
        """Whether a process has started to run this attempt."""
        return self._own.exists()

    def enter(self) -> None:
        """Create the attempt's folder; adopt what earlier attempts kept and remove the rest."""
        self._own.mkdir(parents=True)
        earlier = _attempts(self._shared, self._attempt.ref.stage_name)
        for number in sorted(earlier - {self._attempt.number}, reverse=True):
            folder = _folder(self._shared, self._attempt.ref.stage_name, number)
            if (folder / KEPT).exists() and not (self._own / KEPT).exists():
                (folder / KEPT).rename(self._own / KEPT)
            shutil.rmtree(folder, ignore_errors=True)

    def work_file(self, name: str) -> Path:
        """Return the path of a file between stages: of this attempt, else of an earlier stage."""
        own = self._own / WORK / name
        return own if own.exists() else self._shared / name

    @property
    def work_folder(self) -> Path:
        """Folder of what this attempt writes for later stages."""
        return self._own / WORK

    @contextmanager
    def new_artefact(self, name: str) -> Iterator[tuple[Path, Path]]:
        """Yield a temporary path, and the path of the artefact once the block has succeeded."""
        destination = self._own / ARTEFACTS / name
        with atomic_path(destination) as temporary:
            yield temporary, destination

    @contextmanager
    def kept_folder(self, name: str) -> Iterator[Path]:
        """Yield a folder from which another attempt resumes; remove it when the block succeeds."""
        folder = self._own / KEPT / name
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        shutil.rmtree(folder)

    def artefacts(self) -> dict[str, Path]:
        """Return the artefacts of the attempt by their names."""
        folder = self._own / ARTEFACTS
        found = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path for path in found}

    def publish(self) -> list[str]:
        """Move all files to their places; return the names of those for later stages.

        Called again, because the manifest could not be written, it returns the same.
        """
        names = self._published
        for place, destination in ((WORK, self._shared), (ARTEFACTS, self._job_folder)):
            for path in sorted((self._own / place).rglob("*")):
                if path.is_file():
                    name = path.relative_to(self._own / place)
                    move_into_place(path, destination / name)
                    if place == WORK:
                        names.append(str(name))
        return names

    def discard(self) -> None:
        """Remove what the attempt wrote, except what another one resumes from."""
        for place in (WORK, ARTEFACTS):
            shutil.rmtree(self._own / place, ignore_errors=True)

    def remove(self) -> None:
        """Remove the attempt's folder."""
        shutil.rmtree(self._own, ignore_errors=True)


class RestoredFiles(AttemptFiles):
    """Files of a completed stage that are made again for a later one, without its artefacts."""

    def __init__(self, ref: StageRef, shared: Path) -> None:
        super().__init__(Attempt(ref, 0), shared, shared)
        self._own = shared / f"{ref.stage_name}.restored-{secrets.token_hex(4)}"

    def publish(self) -> list[str]:
        """Move the files for later stages to their places; return their names."""
        shutil.rmtree(self._own / ARTEFACTS, ignore_errors=True)
        return super().publish()


def kept_bytes(shared: Path, stage_name: str) -> int:
    """Return the bytes that the attempts at a stage kept: its progress between attempts."""
    folders = (_folder(shared, stage_name, n) / KEPT for n in _attempts(shared, stage_name))
    return max(map(_bytes_of, folders), default=0)


def _bytes_of(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # a dying process still renames
            continue
    return total


def _attempts(shared: Path, stage_name: str) -> set[int]:
    """Return the numbers of the attempts at a stage that have a folder."""
    found = (path.name.rpartition(".") for path in shared.glob("*.*") if path.is_dir())
    return {int(number) for name, _, number in found if name == stage_name and number.isdigit()}


def _folder(shared: Path, stage_name: str, number: int) -> Path:
    return shared / f"{stage_name}.{number}"
