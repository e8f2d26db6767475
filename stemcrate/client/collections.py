"""Collections of the library: of tracks, and smart ones that hold a search."""

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.schemas.collections import (
    Collection,
    CollectionChange,
    CollectionRequest,
    Collections,
)


class CollectionCalls(Calls):
    """Operations on collections.

    Each one that takes an id raises `ApiError` ``collection_not_found`` (404).
    """

    def list_collections(self) -> Collections:
        """Return all collections by name.

        `LibraryCalls.list_tracks` with ``collection`` in its query returns the tracks of one.
        """
        return self._api.read("GET", "/library/collections", Collections)

    def create_collection(self, request: CollectionRequest) -> Collection:
        """Create a collection of tracks, or with ``query`` a smart one.

        Raises `ApiError` 422 ``invalid_option``.
        """
        body = request.model_dump(mode="json", exclude_unset=True)
        return self._api.read("POST", "/library/collections", Collection, json=body)

    def get_collection(self, collection_id: str) -> Collection:
        """Return a collection, without its tracks."""
        return self._api.read("GET", path_of("library", "collections", collection_id), Collection)

    def change_collection(self, collection_id: str, change: CollectionChange) -> Collection:
        """Rename a collection, add and remove tracks, or change the query of a smart one.

        Raises `ApiError` 422 ``invalid_option``.
        """
        path = path_of("library", "collections", collection_id)
        body = change.model_dump(mode="json", exclude_unset=True)
        return self._api.read("PATCH", path, Collection, json=body)

    def delete_collection(self, collection_id: str) -> None:
        """Delete a collection; its tracks stay in the library."""
        self._api.tell("DELETE", path_of("library", "collections", collection_id))
