"""User models: folders in MODEL_DIR, and Demucs bags in MODEL_DIR itself.

See `core.separation.weights.model_folder` for the content of such a folder.
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
    """List the user models by name; invalid ones are omitted."""
    for name in _names(model_dir):
        try:
            info = find_user_model(model_dir, name)
        except UnsafeWeights:
            continue  # Requested by name, it is rejected with the reason.
        if info is not None:
            yield info


def list_refused(model_dir: Path | None) -> dict[str, str]:
    """Return the reason for each folder with a `CARD` that `list_user_models` omits."""
    reasons = {}
    for name in _names(model_dir):
        if model_dir is not None and (model_dir / name / CARD).is_file():
            try:
                find_user_model(model_dir, name)
            except UnsafeWeights as error:
                reasons[name] = error.message
    return reasons


def find_user_model(model_dir: Path | None, name: str) -> ModelInfo | None:
    """Find a user model; None without such a folder or bag.

    Raises
    ------
    UnsafeWeights : its card, bag or config is invalid.
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
    """Return the description by the first family that recognises the folder."""
    family = folder.card.family
    folder.check(
        family is None or family in FAMILIES,
        f"there is no family '{family}'; families: {', '.join(FAMILIES)}",
    )
    described = (family.describe(folder) for family in FAMILIES.values())
    return next((info for info in described if info is not None), None)


def _refuse_unclaimed(folder: ModelFolder) -> None:
    """Reject invalid models, but ignore unrelated files."""
    if not folder.is_described and not (folder.weights and folder.configs):
        return
    folder.check_one_network()
    config = folder.config
    if folder.is_described and config is not None:
        folder.check(config.is_file(), "it needs a 'family' until its config is there")
        raise refuse_config(
            config, "its 'model' is of no known family; name the family in model.json"
        )
