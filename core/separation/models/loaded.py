"""Models stay loaded between jobs, as many as a limit of memory allows."""

from collections import OrderedDict
from collections.abc import Callable

from core.separation.models.base import SeparatorModel

Load = Callable[[], SeparatorModel]


class LoadedModels:
    """The models that are in memory, the most recently used last.

    A model larger than the limit is kept alone, until another one is asked for.
    """

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[object, ...], SeparatorModel] = OrderedDict()

    def get(self, key: tuple[object, ...], load: Load, *, max_bytes: int) -> SeparatorModel:
        """Give the model of this key, loaded when it isn't; drop those unused longest.

        Parameters
        ----------
        key : all that the loaded model depends on.
        load : called where the model is not in memory.
        max_bytes : of the weights of all models that stay.
        """
        model = self._models.pop(key, None) or load()
        self._models[key] = model
        while len(self._models) > 1 and self._total_bytes() > max_bytes:
            self._models.popitem(last=False)
        return model

    def names(self) -> list[str]:
        """List the models in memory, the longest unused first."""
        return [model.name for model in self._models.values()]

    def _total_bytes(self) -> int:
        return sum(model.n_bytes for model in self._models.values())
