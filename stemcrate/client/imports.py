"""Folders on the server: which may be added, and their imports into the library."""

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.schemas.imports import FolderImport, FolderImports, ImportRequest, ServerFolders


class ImportCalls(Calls):
    """Operations on folders of the server."""

    def list_folders(self, path: str | None = None) -> ServerFolders:
        """Return the folders that may be added, or those in one of them.

        Raises `ApiError` ``folder_not_found`` (404).
        """
        return self._api.read("GET", "/library/folders", ServerFolders, query={"path": path})

    def create_import(self, path: str) -> FolderImport:
        """Add a folder on the server, such as ``Music/House``, with all below it.

        A worker analyses the files where they are; known ones are skipped. While an import of this
        folder waits or runs, it is returned.

        Raises `ApiError` ``folder_not_found`` (404).
        """
        body = ImportRequest(path=path).model_dump(mode="json")
        return self._api.read("POST", "/library/imports", FolderImport, json=body)

    def list_imports(self) -> FolderImports:
        """Return the last imports of folders, newest first."""
        return self._api.read("GET", "/library/imports", FolderImports)

    def get_import(self, import_id: str) -> FolderImport:
        """Return state and progress of an import. Raises `ApiError` ``import_not_found`` (404)."""
        return self._api.read("GET", path_of("library", "imports", import_id), FolderImport)

    def cancel_import(self, import_id: str) -> FolderImport:
        """Cancel an import; tracks that were added stay. One that has ended is unchanged.

        Raises `ApiError` ``import_not_found`` (404).
        """
        path = path_of("library", "imports", import_id, "cancel")
        return self._api.read("POST", path, FolderImport)
