from core.separation.models.base import SeparatorModel
from core.separation.models.loaded import LoadedModels
from tests.unit.separation.models.test_base import Halves


class Sized(Halves):
    n_bytes = 100


def test_models_stay_until_memory_is_needed_for_others() -> None:
    """Loading per job costs seconds; keeping all of them ends in the kernel's hands."""
    loaded, loads = LoadedModels(), []

    def get(key: str) -> SeparatorModel:
        def load() -> Sized:
            loads.append(key)
            model = Sized()
            model.name = key
            return model

        return loaded.get((key,), load, max_bytes=250)

    first = get("a")
    assert get("a") is first
    get("b")
    get("a")
    get("c")  # b was unused longest
    assert loads == ["a", "b", "c"]
    assert loaded.names() == ["a", "c"]
    get("b")
    assert loads == ["a", "b", "c", "b"]


def test_a_model_beyond_the_limit_is_kept_alone() -> None:
    loaded = LoadedModels()
    for key in "ab":
        loaded.get((key,), Sized, max_bytes=0)
    assert len(loaded.names()) == 1
