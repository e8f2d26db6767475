"""Cache of loaded models between jobs, within a limit of memory."""

from collections import OrderedDict
from collections.abc import Callable

from core.separation.models.base import SeparatorModel

Load = Callable[[], SeparatorModel]


class LoadedModels:
    """Models in memory, the most recently used last.

    A model larger than the limit is kept alone, until another one is asked for.
    """

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[object, ...], SeparatorModel] = OrderedDict()

    def get(self, key: tuple[object, ...], load: Load, *, max_bytes: int) -> SeparatorModel:
        """Return the model of a key, loading it if needed; drop the least recently used ones.

        Parameters
        ----------
        key : everything that the loaded model depends on.
        load : called if the model is not in memory.
        max_bytes : limit for the weights of all models kept.
        """
        model = self._models.pop(key, None) or load()
        self._models[key] = model
        while len(self._models) > 1 and self._total_bytes() > max_bytes:
            self._models.popitem(last=False)
        return model

    def names(self) -> list[str]:
        """List the models in memory, the least recently used first."""
        return [model.name for model in self._models.values()]

    def _total_bytes(self) -> int:
        return sum(model.n_bytes for model in self._models.values())
