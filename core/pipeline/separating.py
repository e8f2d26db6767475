"""What a job's options mean for separation: which models, how much effort, which stems.

Known before anything is loaded: the API and the command line refuse here what a job could not do.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InvalidOption
from core.pipeline.options import ProcessingOptions
from core.separation.effort import PRESETS, Effort
from core.separation.ensemble import split_name
from core.separation.factory import SeparatorFactory
from core.separation.weights import WeightsStore

REST_OF_VOCALS = "accompaniment"
REST = "rest"
_PRESET_MODELS = {"fast": "spleeter", "best": "htdemucs_ft"}


@dataclass(frozen=True, slots=True)
class SeparationPlan:
    """What to run.

    Attributes
    ----------
    models : one, or those of an ensemble.
    reason : why these, as a sentence.
    effort : beyond one plain pass.
    stems : those that are wanted; none stands for all.
    """

    models: tuple[str, ...]
    reason: str
    effort: Effort
    stems: tuple[str, ...]


def plan_separation(options: ProcessingOptions, model_dir: Path | None) -> SeparationPlan:
    """Turn options into a plan.

    Raises
    ------
    UnknownModel, ModelUnavailable, UnsafeWeights : as `SeparatorFactory.check`.
    InvalidOption : a model is known to lack a wanted stem, an ensemble has one twice, or its
        weights do not fit.
    """
    weights = WeightsStore(model_dir)
    name, reason = _choose(options, weights)
    models = split_name(name)
    if len(set(models)) < len(models):
        raise InvalidOption(
            f"The ensemble '{name[:200]}' has a model twice.",
            hint="Name each once; ensemble_weights says how much it counts.",
            field="model",
        )
    for model in models:
        SeparatorFactory.check(model, model_dir=model_dir)
    if options.ensemble_weights and len(options.ensemble_weights) != len(models):
        raise InvalidOption(
            f"{len(options.ensemble_weights)} weights do not fit {len(models)} models.",
            hint="Give one weight for each model of model=a+b.",
            field="ensemble_weights",
        )
    _check_stems(options.stems, models, weights)
    effort = PRESETS[options.preset]
    return SeparationPlan(
        models=models,
        reason=reason,
        effort=replace(
            effort,
            shifts=options.shifts or effort.shifts,
            augment=options.augment,
            wiener=options.wiener,
        ),
        stems=options.stems,
    )


def name_rest(stems: tuple[str, ...]) -> str:
    """Name what is left when some stems alone are separated."""
    return REST_OF_VOCALS if stems == ("vocals",) else REST


def _choose(options: ProcessingOptions, weights: WeightsStore) -> tuple[str, str]:
    """Choose the model of a preset where ``auto`` leaves the choice."""
    preferred = _PRESET_MODELS.get(options.preset)
    if options.model == "auto" and preferred and weights.is_available(preferred):
        return preferred, f"auto took {preferred}, the model of the preset '{options.preset}'."
    return weights.resolve_auto(options.model)


def _check_stems(stems: tuple[str, ...], models: tuple[str, ...], weights: WeightsStore) -> None:
    infos = {info.name: info for info in weights.models()}
    for model in models:
        known = infos[model].stems if model in infos else ()
        missing = [stem for stem in stems if known and stem not in known]
        if missing:
            raise InvalidOption(
                f"The model '{model}' has no stem '{missing[0]}'.",
                hint=f"Its stems: {', '.join(known)}.",
                field="stems",
            )
