"""Collections of the library: of tracks, and smart ones that hold a search."""

from fastapi import APIRouter, Response, status

from api.bodies import JsonRoute
from api.deps import LibraryDep
from api.problems import problem_responses
from core import errors
from core.library.collections import describe_collection
from stemcrate.schemas.collections import (
    Collection,
    CollectionChange,
    CollectionRequest,
    Collections,
)

router = APIRouter(tags=["library"], route_class=JsonRoute)


@router.get("/library/collections", operation_id="list_collections", responses=problem_responses())
def list_collections(library: LibraryDep) -> Collections:
    """List collections by name; `GET /library/tracks?collection=` lists the tracks of one."""
    records = library.collections.all()
    return Collections(collections=[describe_collection(library, record) for record in records])


@router.post(
    "/library/collections",
    operation_id="create_collection",
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(errors.InvalidOption, errors.StorageFull),
)
def create_collection(
    request: CollectionRequest, library: LibraryDep, response: Response
) -> Collection:
    """Create a collection of tracks, or with `query` a smart one."""
    record = library.collections.create(request)
    response.headers["Location"] = f"/library/collections/{record.id}"
    return describe_collection(library, record)


@router.get(
    "/library/collections/{id}",
    operation_id="get_collection",
    responses=problem_responses(errors.CollectionNotFound),
)
def get_collection(id: str, library: LibraryDep) -> Collection:
    """Return a collection, without its tracks."""
    return describe_collection(library, library.collections.get(id))


@router.patch(
    "/library/collections/{id}",
    operation_id="change_collection",
    responses=problem_responses(
        errors.CollectionNotFound, errors.InvalidOption, errors.StorageFull
    ),
)
def change_collection(id: str, change: CollectionChange, library: LibraryDep) -> Collection:
    """Rename a collection, add and remove tracks, or change the query of a smart one."""
    return describe_collection(library, library.collections.change(id, change))


@router.delete(
    "/library/collections/{id}",
    operation_id="delete_collection",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.CollectionNotFound),
)
def delete_collection(id: str, library: LibraryDep) -> None:
    """Delete a collection; its tracks stay in the library."""
    library.collections.delete(id)
