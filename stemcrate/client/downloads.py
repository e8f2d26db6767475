"""Downloads of jobs to files."""

from pathlib import Path

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.client.files import DownloadProgress, Target, fetch
from stemcrate.schemas.jobs import OutputFile
from stemcrate.schemas.waveforms import Waveforms


class DownloadCalls(Calls):
    """Downloads of outputs."""

    def download(
        self,
        file: OutputFile | str,
        to: Target,
        *,
        resume: bool = True,
        progress: DownloadProgress | None = None,
    ) -> Path:
        """Download a file and return its path.

        The bytes go to ``<name>.part``, which is renamed once it is complete: its length and, for
        artefacts, its SHA-256 are checked. An interrupted download leaves its part,
        and the next one resumes it if the file is unchanged (ETag).

        Parameters
        ----------
        file : an entry of `list_outputs`, or a path of the API such as its ``zip_url``.
        to : a file to write or replace, or an existing folder.
        resume : whether to resume an existing part.
        progress : called with the bytes received and the total.

        Raises
        ------
        ApiError : 404 ``job_not_found`` or ``artefact_not_found``, 409 ``job_not_finished``.
        ApiUnreachable : also if the connection is cut; call again to resume.
        CorruptDownload : length or SHA-256 differ; the file is discarded.
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
        """Download an artefact by its name, which may hold slashes; see `download`."""
        path = path_of("download", job_id, *track.split("/"))
        return self.download(path, to, resume=resume, progress=progress)

    def download_zip(
        self,
        job_id: str,
        to: Target,
        *,
        resume: bool = True,
        progress: DownloadProgress | None = None,
    ) -> Path:
        """Download all outputs of a job as one ZIP; see `download`."""
        path = path_of("download", job_id, "all")
        return self.download(path, to, resume=resume, progress=progress)

    def read_waveforms(self, file: OutputFile) -> Waveforms:
        """Return the overview waveforms of a track: its output with the label ``waveforms``."""
        return self._api.read("GET", file.url, Waveforms)
