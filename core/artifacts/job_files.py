"""The files of jobs: artefacts, which are stored, and what lies between stages on one host."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from core.artifacts.upload_store import UploadStore
from core.system.atomic import move_into_place
from core.system.storage import Storage
from stemcrate.schemas.manifest import Artefact

OUTPUTS = "outputs"
HASH_LENGTH = 16
"""Digits of an artefact's SHA-256 in the name of its object."""


class JobFiles(UploadStore):
    """The files of jobs beside their uploads."""

    def __init__(self, place: Path | Storage) -> None:
        super().__init__(place)
        self.outputs = self.data_dir / OUTPUTS

    def job_folder(self, job_id: str) -> Path:
        """Return the folder that holds a job's manifest and artefacts."""
        return self.outputs / job_id

    def work_folder(self, job_id: str) -> Path:
        """Return the folder for audio between stages."""
        return self.outputs / job_id / ".work"

    def artefact_name(self, job_id: str, artefact: Artefact) -> str:
        """Return the name of an artefact's file below DATA_DIR, and of its object."""
        folder = f"{artefact.sha256[:HASH_LENGTH]}/" if self.storage.is_shared else ""
        return f"{OUTPUTS}/{job_id}/{folder}{artefact.stored_as}"

    def artefact_path(self, job_id: str, artefact: Artefact) -> Path:
        """Return the path of an artefact's file, which may have to be fetched (`fetch`)."""
        return self.data_dir / self.artefact_name(job_id, artefact)

    def fetch(self, path: Path) -> Path:
        """Return the path of a file of this store, fetched where it is not on this host.

        There is no file at that path if it is not in the store.
        """
        if self.objects is None or not path.is_relative_to(self.data_dir):
            return path
        name = path.relative_to(self.data_dir)
        is_artefact = name.parts[0] == OUTPUTS and len(name.parts) > 3
        return self.objects.copy(name.as_posix(), sha256=name.parts[2] if is_artefact else None)

    def is_stored(self, path: Path) -> bool:
        """Return whether the file of a listed artefact is there, as far as it can be told."""
        # An object that is listed was stored before; nobody but us removes any.
        return self.objects is not None or path.is_file()

    def put_artefacts(
        self, job_id: str, files: Mapping[str, Path], made: Sequence[Artefact]
    ) -> None:
        """Store the files of artefacts, by their names, before the manifest lists them.

        Nothing is to be done where they are in the data folder alone.
        """
        if self.objects is None:
            return
        for artefact in made:
            if artefact.same_as is None:
                path = self.artefact_path(job_id, artefact)
                move_into_place(files[artefact.name], path)
                self.objects.put(self.artefact_name(job_id, artefact))

    def remove_work(self, job_id: str, *, keep: Collection[str] = (), only: str = "*") -> None:
        """Remove the folders of files between stages, and files that a killed process left.

        The caller holds the job's lock (`locked`): no manifest is being written then. The names of
        the folders in ``keep`` stay; ``only`` is a pattern of their names.
        """
        for folder in self.work_folder(job_id).glob(only):
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # not empty, or not there
            self.work_folder(job_id).rmdir()
        with suppress(FileNotFoundError):
            for leftover in self.job_folder(job_id).glob(".*.part"):
                leftover.unlink(missing_ok=True)
