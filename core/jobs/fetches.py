"""Requests for weights, for the API."""

from core.artifacts.fetches import FetchStore
from core.errors import ModelUnavailable
from core.separation.inventory import Inventory
from stemcrate.schemas.weights import FetchRecord


def request_fetch(store: FetchStore, inventory: Inventory, model: str) -> FetchRecord:
    """Return the download of a model's weights; workers carry it out.

    Parameters
    ----------
    inventory : what the workers have, and what they can fetch.

    Raises
    ------
    UnknownModel : no model has this name.
    UnsafeWeights : its bag, config or card cannot be understood.
    ModelUnavailable : nobody publishes its weights, or it lacks a package; the hint says what to
        do.
    StorageFull : no room for the record.
    """
    info = inventory.find(model)
    if not info.available and not info.can_fetch:
        raise ModelUnavailable(
            f"The weights of '{model}' cannot be fetched.", hint=info.hint, field="model"
        )
    return store.take(model, is_available=info.available)
