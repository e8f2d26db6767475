"""A client of Stemcrate's REST API.

    from stemcrate.client import Client

    with Client("http://127.0.0.1:8000") as client:
        receipt = client.submit_job(["song.flac"], {"format": "flac"})
        job = client.wait(receipt.job_id)
        for file in client.list_outputs(job.job_id).artefacts:
            client.download(file, "stems/")

`Client` has one method for each operation of the API, under the operation's id in the OpenAPI
document, and returns models of `stemcrate.schemas`. Every failure is a `ClientError`.
"""

from stemcrate.client.client import Client
from stemcrate.client.errors import (
    ApiError,
    ApiUnreachable,
    ClientError,
    CorruptDownload,
    UnexpectedAnswer,
    WaitTimeout,
)
from stemcrate.client.library import Cover
from stemcrate.client.playlists import ExportedPlaylist
from stemcrate.client.uploads import NamedFile

__all__ = [
    "ApiError",
    "ApiUnreachable",
    "Client",
    "ClientError",
    "CorruptDownload",
    "Cover",
    "ExportedPlaylist",
    "NamedFile",
    "UnexpectedAnswer",
    "WaitTimeout",
]
