"""Models of one's own: folders in MODEL_DIR, and Demucs bags in MODEL_DIR itself.

`core.separation.weights.model_folder` says what such a folder holds.
"""

from collections.abc import Iterator
from pathlib import Path

from core.errors import UnsafeWeights
from core.separation.families.catalogue import CATALOGUE, FAMILIES
from core.separation.weights.bag import is_plain_name
from core.separation.weights.model_folder import CARD, Card, ModelFolder, read_card
from core.separation.weights.model_info import ModelInfo
from core.separation.weights.network_config import refuse_config


def list_user_models(model_dir: Path | None) -> Iterator[ModelInfo]:
    """List the models of one's own by name; what cannot be understood is left out."""
    for name in _names(model_dir):
        try:
            info = find_user_model(model_dir, name)
        except UnsafeWeights:
            continue  # Asked for by name it is refused with the reason.
        if info is not None:
            yield info


def list_refused(model_dir: Path | None) -> dict[str, str]:
    """Return for each folder with a `CARD` that `list_user_models` leaves out the reason."""
    reasons = {}
    for name in _names(model_dir):
        if model_dir is not None and (model_dir / name / CARD).is_file():
            try:
                find_user_model(model_dir, name)
            except UnsafeWeights as error:
                reasons[name] = error.message
    return reasons


def find_user_model(model_dir: Path | None, name: str) -> ModelInfo | None:
    """Find a model of one's own; None if there is no such folder or bag.

    Raises
    ------
    UnsafeWeights : its card, bag or config cannot be understood.
    """
    if model_dir is None or not is_plain_name(name):
        return None
    own = model_dir / name
    if own.is_dir():
        folder = ModelFolder(name, own, False, read_card(own / CARD))
        info = _claim(folder)
        if info is not None:
            return info
        _refuse_unclaimed(folder)
    return _claim(ModelFolder(name, model_dir, True, Card()))


def _names(model_dir: Path | None) -> list[str]:
    if model_dir is None or not model_dir.is_dir():
        return []
    bags = {file.stem for file in model_dir.glob("*.yaml")}
    folders = {folder.name for folder in model_dir.iterdir() if folder.is_dir()}
    return sorted((bags | folders) - set(CATALOGUE))


def _claim(folder: ModelFolder) -> ModelInfo | None:
    """Return the description by the first family that knows the folder."""
    family = folder.card.family
    folder.check(
        family is None or family in FAMILIES,
        f"there is no family '{family}'; families: {', '.join(FAMILIES)}",
    )
    described = (family.describe(folder) for family in FAMILIES.values())
    return next((info for info in described if info is not None), None)


def _refuse_unclaimed(folder: ModelFolder) -> None:
    """Refuse what is meant to be a model; leave other people's files alone."""
    if not folder.is_described and not (folder.weights and folder.configs):
        return
    folder.check_one_network()
    config = folder.config
    if folder.is_described and config is not None:
        folder.check(config.is_file(), "it needs a 'family' until its config is there")
        raise refuse_config(
            config, "its 'model' is of no family that is known; name it in model.json"
        )
