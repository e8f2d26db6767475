"""Folders on the server, and their import into the library.

A folder is named by the name of an allowed folder and those of its sub-folders, such as
``Music/House``: where it is on the server stays there.
"""

from pydantic import BaseModel, Field

from stemcrate.schemas.library import RefusedFile
from stemcrate.schemas.tasks import Task, TaskRecord

MAX_REFUSED = 100
"""Refused files that an import names; it counts them all."""


class ServerFolder(BaseModel):
    """A folder on the server that may be added."""

    path: str = Field(examples=["Music/House"])
    name: str = Field(examples=["House"])


class ServerFolders(BaseModel):
    """What a folder holds, or which folders may be added."""

    path: str | None = Field(description="The folder; null for the allowed folders themselves.")
    folders: list[ServerFolder]
    n_files: int = Field(description="Number of audio files in it, without its sub-folders.")


class ImportRequest(BaseModel):
    """Which folder to add, with all folders below it."""

    path: str = Field(min_length=1, max_length=4096, examples=["Music/House"])


class FolderImport(Task):
    """State and progress of the import of a folder."""

    path: str
    n_files: int | None = Field(None, description="Audio files below it; null before it began.")
    n_done: int = 0
    n_added: int = Field(0, description="New tracks.")
    n_known: int = Field(0, description="Files of tracks that the library has.")
    n_refused: int = 0
    refused: list[RefusedFile] = Field(
        default_factory=list, description=f"The first {MAX_REFUSED} files that were not added."
    )


class ImportRecord(FolderImport, TaskRecord):
    """An import as it is kept.

    ``root`` is the allowed folder and ``folder`` the one to add, both without symbolic links.
    """

    root: str
    folder: str


class FolderImports(BaseModel):
    """The last imports, newest first."""

    imports: list[FolderImport]
