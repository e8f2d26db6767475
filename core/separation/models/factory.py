"""Loading of models by name.

Built-in models come from the families' catalogues and from MODEL_DIR; packages add theirs through
the entry-point group ``stemcrate.separators`` (`stemcrate.plugins`). Networks are imported when one
is created, so that processes which only list models never load torch.
"""

from pathlib import Path
from typing import Protocol

from core.errors import ModelUnavailable, PluginFailed, UnknownModel
from core.separation.families.catalogue import CATALOGUE, FAMILIES
from core.separation.models.base import SeparatorModel
from core.separation.weights.store import WeightsStore
from core.system.registry import Registry


class Builder(Protocol):
    """Loads a model.

    ``name`` is the requested one, ``device`` ``auto`` or a device's name (see
    `core.separation.device.resolve_device`), ``model_dir`` the folder with weights, if any.
    Raises `ModelUnavailable`, `UnsafeWeights` or `DeviceUnavailable`.
    """

    def __call__(self, name: str, *, device: str, model_dir: Path | None) -> SeparatorModel:
        """Load the model."""


def build_from_weights(name: str, *, device: str, model_dir: Path | None) -> SeparatorModel:
    """Load a model whose weights are on this machine; the `Builder` of all families."""
    location = WeightsStore(model_dir).require(name)
    return FAMILIES[location.info.family].build(location, device)


SEPARATORS: Registry[Builder] = Registry(
    "stemcrate.separators",
    lambda _, item: callable(item),
    ((name, build_from_weights) for name in CATALOGUE),
)


class SeparatorFactory:
    """Creates separator models by name."""

    @classmethod
    def register(cls, name: str, builder: Builder) -> None:
        """Add a model. Raises ValueError if the name is taken."""
        if name == "auto":
            raise ValueError("the model name 'auto' is taken")
        SEPARATORS.register(name, builder)

    @classmethod
    def unregister(cls, name: str) -> None:
        """Remove a model that `register` added. Raises KeyError if there is no such model."""
        SEPARATORS.unregister(name)

    @classmethod
    def names(cls, model_dir: Path | None = None) -> tuple[str, ...]:
        """List the names that `create` accepts, without ``auto``.

        With ``model_dir``, user models in it are listed, too.
        """
        own = [info.name for info in WeightsStore(model_dir).models()]
        return tuple(dict.fromkeys([*own, *SEPARATORS.names()]))

    @classmethod
    def check(cls, name: str, *, model_dir: Path | None = None) -> None:
        """Check that `create` would accept a name, without loading anything.

        Raises
        ------
        UnknownModel : no model has this name; the hint lists the known ones.
        ModelUnavailable : its weights, or a package that it needs, are not on this machine; the
            hint names the command.
        UnsafeWeights : its bag, config or card cannot be understood.
        """
        weights = WeightsStore(model_dir)
        name, _ = weights.resolve_auto(name)
        if weights.find(name) is not None:
            weights.require(name)
        elif name not in SEPARATORS:
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
        UnknownModel, ModelUnavailable : as `check`; a plug-in that cannot be loaded is unavailable.
        UnsafeWeights : a weights file fails its checksum, or holds more than weights.
        DeviceUnavailable : this machine has no such device.
        """
        weights = WeightsStore(model_dir)
        name, _ = weights.resolve_auto(name)
        cls.check(name, model_dir=model_dir)
        if weights.find(name) is not None:
            return build_from_weights(name, device=device, model_dir=model_dir)
        try:
            builder = SEPARATORS.get(name)
        except PluginFailed as error:
            raise ModelUnavailable(error.message, hint=error.hint, field="model") from error
        return builder(name, device=device, model_dir=model_dir)
