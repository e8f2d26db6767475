"""Weights of models: fetch, follow, cancel."""

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.schemas.weights import WeightsFetch


class WeightsCalls(Calls):
    """Operations on the weights of models, which workers download."""

    def fetch_weights(self, name: str) -> WeightsFetch:
        """Request the weights of a model; the download that runs already is returned as it is.

        Raises `ApiError`: 409 ``model_unavailable`` (nobody publishes them, or a package is
        missing), 422 ``unknown_model``, 507 ``storage_full``.
        """
        return self._api.read("POST", path_of("models", name, "weights"), WeightsFetch)

    def get_weights_fetch(self, name: str) -> WeightsFetch:
        """Return the state and progress of a download; once it is completed, jobs can run.

        Raises `ApiError` ``fetch_not_found`` (404) if none was requested, or it was cancelled.
        """
        return self._api.read("GET", path_of("models", name, "weights"), WeightsFetch)

    def cancel_weights_fetch(self, name: str) -> None:
        """Stop a download; weights that are there stay. Raises as `get_weights_fetch`."""
        self._api.tell("DELETE", path_of("models", name, "weights"))
