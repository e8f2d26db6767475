"""What jobs delivered, to files on disk."""

from pathlib import Path

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.client.files import DownloadProgress, Target, fetch
from stemcrate.schemas.jobs import OutputFile
from stemcrate.schemas.waveforms import Waveforms


class DownloadCalls(Calls):
    """Operations on what jobs delivered."""

    def download(
        self,
        file: OutputFile | str,
        to: Target,
        *,
        resume: bool = True,
        progress: DownloadProgress | None = None,
    ) -> Path:
        """Download a file and return its path.

        The bytes go to ``<name>.part``, which gets its name once it is whole: its length and, of
        artefacts, its SHA-256 are what the API announced. A download that was cut leaves its part,
        and the next one goes on after it if the file is still the same there (ETag).

        Parameters
        ----------
        file : an entry of `list_outputs`, or a path of the API such as its ``zip_url``.
        to : a file to write, replaced where it exists; or a folder that exists.
        resume : whether to go on with a part that is there.
        progress : called with the bytes that are here and those of the whole file.

        Raises
        ------
        ApiError : 404 ``job_not_found`` or ``artefact_not_found``, 409 ``job_not_finished``.
        ApiUnreachable : also where the connection is cut; call again to resume.
        CorruptDownload : the bytes are not those announced; nothing of them is kept.
        OSError : the file cannot be written.
        """
        path = file.url if isinstance(file, OutputFile) else file
        sha256 = file.sha256 if isinstance(file, OutputFile) else None
        return fetch(self._api, path, to, resume=resume, progress=progress, sha256=sha256).path

    def download_artefact(
        self,
        job_id: str,
        track: str,
        to: Target,
        *,
        resume: bool = True,
        progress: DownloadProgress | None = None,
    ) -> Path:
        """Download an artefact by its name, which may hold slashes; as `download`."""
        path = path_of("download", job_id, *track.split("/"))
        return self.download(path, to, resume=resume, progress=progress)

    def download_zip(
        self, job_id: str, to: Target, *, progress: DownloadProgress | None = None
    ) -> Path:
        """Download everything that a job delivered in one ZIP; as `download`.

        It is made while it is sent, so a cut download starts over.
        """
        path = path_of("download", job_id, "all")
        return self.download(path, to, resume=False, progress=progress)

    def read_waveforms(self, file: OutputFile) -> Waveforms:
        """Return the overview waveforms of a track: its output with the label ``waveforms``."""
        return self._api.read("GET", file.url, Waveforms)
