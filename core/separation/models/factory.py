"""From a model's name to a model that is loaded.

Built-in models come from the catalogue and from MODEL_DIR; others register here or through the
entry-point group ``stemcrate.separators``::

    [project.entry-points."stemcrate.separators"]
    my-model = "my_package.stemcrate:build"

where ``build`` is a `Builder`. Networks are imported when one is created, so that processes which
only list models never load torch.
"""

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import ClassVar, Protocol

from core.errors import ModelUnavailable, UnknownModel
from core.separation.models.base import SeparatorModel
from core.separation.weights.store import PYMSS_FAMILIES, WeightsStore

ENTRY_POINT_GROUP = "stemcrate.separators"


class Builder(Protocol):
    """Loads a model.

    ``name`` is the one that was asked for, ``device`` ``auto`` or a device's name (see
    `core.separation.device.resolve_device`), ``model_dir`` the folder with weights, if any.
    Raises `ModelUnavailable`, `UnsafeWeights` or `DeviceUnavailable`.
    """

    def __call__(self, name: str, *, device: str, model_dir: Path | None) -> SeparatorModel:
        """Load the model."""


class SeparatorFactory:
    """Creates separator models by name."""

    _registered: ClassVar[dict[str, Builder]] = {}

    @classmethod
    def register(cls, name: str, builder: Builder) -> None:
        """Add a model. Raises ValueError where the name is taken."""
        if name in ("auto", *cls.names()):
            raise ValueError(f"the model name '{name}' is taken")
        cls._registered[name] = builder

    @classmethod
    def unregister(cls, name: str) -> None:
        """Take a model back that `register` added. Raises KeyError where there is none."""
        del cls._registered[name]

    @classmethod
    def names(cls, model_dir: Path | None = None) -> tuple[str, ...]:
        """List the names that `create` takes, without ``auto``.

        With ``model_dir`` the models which lie there under names of their own are listed, too.
        """
        own = [info.name for info in WeightsStore(model_dir).models()]
        return tuple(dict.fromkeys([*own, *cls._registered, *_plugins()]))

    @classmethod
    def check(cls, name: str, *, model_dir: Path | None = None) -> None:
        """Refuse a name that `create` would refuse, without loading anything.

        Raises
        ------
        UnknownModel : no model has this name; the hint lists those that there are.
        ModelUnavailable : its weights, or a package that it needs, are not on this machine; the
            hint names the command.
        UnsafeWeights : its bag, config or card cannot be understood.
        """
        weights = WeightsStore(model_dir)
        name, _ = weights.resolve_auto(name)
        if weights.find(name) is not None:
            weights.require(name)
        elif name not in cls._registered and name not in _plugins():
            names = ", ".join(["auto", *cls.names(model_dir)])
            raise UnknownModel(
                f"There is no model '{name}'.", hint=f"Models: {names}.", field="model"
            )

    @classmethod
    def create(
        cls, name: str, *, device: str = "auto", model_dir: Path | None = None
    ) -> SeparatorModel:
        """Load a model.

        Parameters
        ----------
        name : one of `names`, or ``auto`` (see `WeightsStore.resolve_auto`).
        device : ``auto``, ``cpu``, ``cuda`` or ``mps``.
        model_dir : folder with weights, see `core.separation.weights.store`.

        Raises
        ------
        UnknownModel, ModelUnavailable : as `check`.
        UnsafeWeights : a weights file fails its checksum, or holds more than weights.
        DeviceUnavailable : this machine has no such device.
        """
        name, _ = WeightsStore(model_dir).resolve_auto(name)
        cls.check(name, model_dir=model_dir)
        return cls._builder(name, model_dir)(name, device=device, model_dir=model_dir)

    @classmethod
    def _builder(cls, name: str, model_dir: Path | None) -> Builder:
        # In the order of `check`: what it let pass is what is built.
        known = WeightsStore(model_dir).find(name)
        if known is not None:
            return _load(_BUILT_IN[known.family])
        if name in cls._registered:
            return cls._registered[name]
        return _load(_plugins()[name])


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def _load(point: EntryPoint) -> Builder:
    try:
        builder: Builder = point.load()
    except (ImportError, AttributeError) as error:
        raise ModelUnavailable(
            f"The model '{point.name}' cannot be loaded from {point.value}: {error}.",
            hint="Reinstall the package that brings it.",
            field="model",
        ) from error
    return builder


def _built_in(family: str, module: str) -> EntryPoint:
    return EntryPoint(family, f"core.separation.models.{module}:build", ENTRY_POINT_GROUP)


# Named as plugins are, so that neither this module nor whoever imports it reaches torch.
_BUILT_IN = {
    "demucs": _built_in("demucs", "demucs_model"),
    "spleeter": _built_in("spleeter", "spleeter"),
    **{family: _built_in(family, "pymss_model") for family in PYMSS_FAMILIES},
}
