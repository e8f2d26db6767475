"""Turns a job's options into a separation plan: models, effort, stems.

Needs no loaded model, so the API and the command line refuse impossible jobs early.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.errors import InvalidOption
from core.separation.models.ensemble import split_name
from core.separation.models.factory import SeparatorFactory
from core.separation.streaming.effort import PRESETS, Effort
from core.separation.weights.store import WeightsStore
from stemcrate.schemas.options import ProcessingOptions

REST_OF_VOCALS = "accompaniment"
REST = "rest"
_PRESET_MODELS = {"fast": "spleeter", "best": "htdemucs_ft"}


@dataclass(frozen=True, slots=True)
class SeparationPlan:
    """What to run.

    Attributes
    ----------
    models : one model, or those of an ensemble.
    reason : why these models, as a sentence.
    effort : beyond one plain pass.
    stems : the wanted stems; empty for all.
    made : every stem that the job will have, as far as it is known; empty where a model's are not.
    """

    models: tuple[str, ...]
    reason: str
    effort: Effort
    stems: tuple[str, ...]
    made: tuple[str, ...] = ()


class Models(Protocol):
    """The models that a job can use: those of this machine, or those of the workers."""

    def is_available(self, name: str) -> bool:
        """Return whether the model can be used; False for unknown names."""

    def resolve_auto(self, name: str) -> tuple[str, str]:
        """Turn ``auto`` into a model's name, with the reason. Raises `ModelUnavailable`."""

    def check(self, name: str) -> None:
        """Raise `UnknownModel`, `ModelUnavailable` or `UnsafeWeights` for an unusable model."""

    def stems(self, name: str) -> tuple[str, ...]:
        """Return the stems of a model; empty where they are not known."""


def plan_separation(options: ProcessingOptions, model_dir: Path | None) -> SeparationPlan:
    """Turn options into a plan for this machine. Raises as `plan_with`."""
    return plan_with(options, _LocalModels(model_dir))


def plan_with(options: ProcessingOptions, models: Models) -> SeparationPlan:
    """Turn options into a plan.

    Raises
    ------
    UnknownModel, ModelUnavailable, UnsafeWeights : as `SeparatorFactory.check`.
    InvalidOption : a model is known to lack a wanted stem, an ensemble has one twice, or its
        weights do not fit.
    """
    name, reason = _choose(options, models)
    names = split_name(name)
    if len(set(names)) < len(names):
        raise InvalidOption(
            f"The ensemble '{name[:200]}' has a model twice.",
            hint="Name each once; ensemble_weights says how much it counts.",
            field="model",
        )
    for model in names:
        models.check(model)
    if options.ensemble_weights and len(options.ensemble_weights) != len(names):
        raise InvalidOption(
            f"{len(options.ensemble_weights)} weights do not fit {len(names)} models.",
            hint="Give one weight for each model of model=a+b.",
            field="ensemble_weights",
        )
    _check_stems(options.stems, names, models)
    effort = PRESETS[options.preset]
    return SeparationPlan(
        models=names,
        reason=reason,
        effort=replace(
            effort,
            shifts=options.shifts or effort.shifts,
            augment=options.augment,
            wiener=options.wiener,
        ),
        stems=options.stems,
        made=_list_made(options, names, models),
    )


def name_rest(stems: tuple[str, ...]) -> str:
    """Return the name of the rest when only some stems are separated."""
    return REST_OF_VOCALS if stems == ("vocals",) else REST


class _LocalModels:
    """The models of this machine."""

    def __init__(self, model_dir: Path | None) -> None:
        self._model_dir = model_dir
        self._weights = WeightsStore(model_dir)

    def is_available(self, name: str) -> bool:
        return self._weights.is_available(name)

    def resolve_auto(self, name: str) -> tuple[str, str]:
        return self._weights.resolve_auto(name)

    def check(self, name: str) -> None:
        SeparatorFactory.check(name, model_dir=self._model_dir)

    def stems(self, name: str) -> tuple[str, ...]:
        return next((info.stems for info in self._weights.models() if info.name == name), ())


def _choose(options: ProcessingOptions, models: Models) -> tuple[str, str]:
    """Choose the model of a preset where ``auto`` leaves the choice."""
    preferred = _PRESET_MODELS.get(options.preset)
    if options.model == "auto" and preferred and models.is_available(preferred):
        return preferred, f"auto took {preferred}, the model of the preset '{options.preset}'."
    return models.resolve_auto(options.model)


def _list_made(
    options: ProcessingOptions, names: tuple[str, ...], models: Models
) -> tuple[str, ...]:
    known = [models.stems(name) for name in names]
    if not all(known):
        return ()
    common = (stem for stem in known[0] if all(stem in stems for stems in known))
    wanted = tuple(stem for stem in common if not options.stems or stem in options.stems)
    match options.residual:
        case "off":
            return wanted
        case "keep" if not options.stems:
            return (*wanted, "residual")
    return (*wanted, name_rest(wanted))


def _check_stems(wanted: tuple[str, ...], names: tuple[str, ...], models: Models) -> None:
    for name in names:
        known = models.stems(name)
        missing = [stem for stem in wanted if known and stem not in known]
        if missing:
            raise InvalidOption(
                f"The model '{name}' has no stem '{missing[0]}'.",
                hint=f"Its stems: {', '.join(known)}.",
                field="stems",
            )
