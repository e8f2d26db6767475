"""Folders on the server that may be added to the library, and their imports."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from api.bodies import JsonRoute
from api.deps import ServicesDep
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from core import errors
from stemcrate.schemas.imports import (
    FolderImport,
    FolderImports,
    ImportRecord,
    ImportRequest,
    ServerFolders,
)

router = APIRouter(tags=["library"], route_class=JsonRoute)


@router.get(
    "/library/folders",
    operation_id="list_folders",
    responses=problem_responses(errors.FolderNotFound),
)
def list_folders(
    services: ServicesDep,
    path: Annotated[
        str | None, Query(description="A folder, such as `Music/House`; none: those allowed.")
    ] = None,
) -> ServerFolders:
    """List the folders of `LIBRARY_FOLDERS`, or those in one of them, one level at a time."""
    return services.imports.folders.list(path)


@router.post(
    "/library/imports",
    operation_id="create_import",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(
        errors.FolderNotFound, errors.StorageFull, errors.DatabaseUnavailable
    ),
)
def create_import(
    request: ImportRequest, services: ServicesDep, response: Response
) -> FolderImport:
    """Add a folder on the server with all below it; a worker analyses its files where they are.

    Known files are skipped, so an import that failed or was cancelled goes on where it was. While
    an import of the folder waits or runs, it is the response.
    """
    record, _ = services.imports.request(request.path)
    response.headers["Location"] = f"/library/imports/{record.id}"
    response.headers["Retry-After"] = RETRY_AFTER_S
    return _view(record)


@router.get("/library/imports", operation_id="list_imports", responses=problem_responses())
def list_imports(services: ServicesDep) -> FolderImports:
    """List the last imports of folders, newest first."""
    return FolderImports(imports=[_view(record) for record in services.imports.imports.all()])


@router.get(
    "/library/imports/{id}",
    operation_id="get_import",
    responses=problem_responses(errors.ImportNotFound),
)
def get_import(id: str, services: ServicesDep, response: Response) -> FolderImport:
    """Return state and progress of an import."""
    record = services.imports.imports.load(id)
    if not record.state.is_final:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return _view(record)


@router.post(
    "/library/imports/{id}/cancel",
    operation_id="cancel_import",
    responses=problem_responses(errors.ImportNotFound, errors.StorageFull),
)
def cancel_import(id: str, services: ServicesDep) -> FolderImport:
    """Cancel an import; tracks that were added stay. One that has ended is unchanged."""
    return _view(services.imports.imports.cancel(id))


def _view(record: ImportRecord) -> FolderImport:
    """Return what is told of an import: where its folder is stays on the server."""
    return FolderImport.model_validate(record.model_dump(include=set(FolderImport.model_fields)))
