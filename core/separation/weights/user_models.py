"""Models of one's own: folders in MODEL_DIR, and what is said of them there.

    MODEL_DIR/<name>/model.json      family, licence, source, description, files: none has to be
    MODEL_DIR/<name>/<any>.yaml      the network (SCNet, RoFormers, MDX23C) or the bag (Demucs)
    MODEL_DIR/<name>/<any>.<suffix>  the weights: .safetensors, .ckpt, .pth, .pt or .th

A Demucs bag may also lie in MODEL_DIR itself, as ``<name>.yaml``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from core.errors import UnsafeWeights
from core.separation.weights.bag import is_plain_name, read_bag
from core.separation.weights.catalogue import (
    CATALOGUE,
    USER_LICENCE,
    Bag,
    Family,
    ModelFile,
    ModelInfo,
)
from core.separation.weights.location import CONFIG_SUFFIXES, WEIGHTS_SUFFIXES, read_stems
from core.separation.weights.network_config import (
    detect_family,
    load_yaml,
    read_network_config,
)

CARD = "model.json"
MAX_CARD_BYTES = 65_536

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class _File(BaseModel):
    """A file of the model; one that is to be fetched needs a checksum."""

    model_config = ConfigDict(extra="forbid")

    name: str
    sha256: Annotated[str, StringConstraints(to_lower=True, pattern=r"^([0-9a-f]{64})?$")] = ""
    url: Annotated[str, StringConstraints(pattern=r"^(https?://\S+)?$")] = ""

    @model_validator(mode="after")
    def _check(self) -> "_File":
        if not is_plain_name(self.name) or not self.name.endswith(
            (*CONFIG_SUFFIXES, *WEIGHTS_SUFFIXES)
        ):
            raise ValueError(f"'{self.name}' is not the name of a config or of weights")
        if self.url and not self.sha256:
            raise ValueError(f"'{self.name}' has a url and no sha256 to check what comes")
        return self


class _Card(BaseModel):
    """``model.json``."""

    model_config = ConfigDict(extra="forbid")

    family: Family | None = None
    licence: Line = USER_LICENCE
    source: Line = "MODEL_DIR"
    description: Line = "A model of your own."
    files: tuple[_File, ...] = ()


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
    """Give for each folder with a `CARD` that `list_user_models` leaves out the reason."""
    reasons = {}
    for name in _names(model_dir):
        if model_dir is not None and (model_dir / name / CARD).is_file():
            try:
                find_user_model(model_dir, name)
            except UnsafeWeights as error:
                reasons[name] = error.message
    return reasons


def find_user_model(model_dir: Path | None, name: str) -> ModelInfo | None:
    """Give what is known of a model of one's own; None where there is no such folder or bag.

    Raises
    ------
    UnsafeWeights : its card, bag or config cannot be understood.
    """
    if model_dir is None or not is_plain_name(name):
        return None
    for folder in (model_dir / name, model_dir):
        bag_file = folder / f"{name}.yaml"
        if bag_file.is_file() and (
            folder == model_dir or detect_family(load_yaml(bag_file)) is None
        ):
            return _demucs_model(name, folder, _read_card(folder if folder != model_dir else None))
        if folder != model_dir and folder.is_dir():
            found = _network(name, folder, _read_card(folder))
            if found is not None:
                return found
    return None


def _names(model_dir: Path | None) -> list[str]:
    if model_dir is None or not model_dir.is_dir():
        return []
    bags = {file.stem for file in model_dir.glob("*.yaml")}
    folders = {folder.name for folder in model_dir.iterdir() if folder.is_dir()}
    return sorted((bags | folders) - set(CATALOGUE))


def _read_card(folder: Path | None) -> _Card:
    file = None if folder is None else folder / CARD
    if file is None or not file.is_file():
        return _Card()
    try:
        if file.stat().st_size > MAX_CARD_BYTES:
            raise ValueError(f"it is larger than {MAX_CARD_BYTES} bytes")
        return _Card.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise _refusal(file, f"{place}: {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise _refusal(file, str(error)) from error


def _demucs_model(name: str, folder: Path, card: _Card) -> ModelInfo:
    bag = read_bag(folder / f"{name}.yaml")
    stems = read_stems(folder / f"{bag.signatures[0]}.safetensors")
    files = _files(folder, card) if card.files else ()
    return _info(name, "demucs", card, stems, 44100, bag, files)


def _network(name: str, folder: Path, card: _Card) -> ModelInfo | None:
    """Describe a folder with one network; None where it holds neither a card nor a network."""
    files = _files(folder, card)
    configs = [file.name for file in files if file.name.endswith(CONFIG_SUFFIXES)]
    weights = [file.name for file in files if file.name.endswith(WEIGHTS_SUFFIXES)]
    is_described = (folder / CARD).is_file()
    if not is_described and (not weights or not configs):
        return None
    family = card.family
    if family == "spleeter":
        known = CATALOGUE["spleeter"]
        _require(folder, len(weights) == 2, "Spleeter has two files of weights, vocals first")
        bag = Bag(tuple(weights))
        return _info(name, family, card, known.stems, known.sample_rate, bag, files)
    _require(folder, family != "demucs", f"a Demucs model needs its bag, {name}.yaml")
    _require(folder, len(configs) == 1, f"it needs one YAML file, not {len(configs)}")
    _require(folder, len(weights) == 1, f"it needs one file of weights, not {len(weights)}")
    stems: tuple[str, ...] = ()
    sample_rate = 44100
    if (folder / configs[0]).is_file():
        if not is_described and detect_family(load_yaml(folder / configs[0])) is None:
            return None  # Somebody else's YAML file.
        config = read_network_config(folder / configs[0], family)
        family, stems, sample_rate = config.family, config.stems, config.sample_rate
    if family is None:
        raise _refusal(folder / CARD, "it needs a 'family' until its config is there")
    return _info(name, family, card, stems, sample_rate, Bag((weights[0],)), files)


def _files(folder: Path, card: _Card) -> tuple[ModelFile, ...]:
    """Give the files that the card names, or else those that lie there."""
    if card.files:
        return tuple(ModelFile(file.name, file.sha256, file.url) for file in card.files)
    suffixes = (*CONFIG_SUFFIXES, *WEIGHTS_SUFFIXES)
    return tuple(
        ModelFile(file.name)
        for file in sorted(folder.iterdir())
        if file.name.endswith(suffixes) and is_plain_name(file.name)
    )


def _info(
    name: str,
    family: Family,
    card: _Card,
    stems: tuple[str, ...],
    sample_rate: int,
    bag: Bag,
    files: tuple[ModelFile, ...] = (),
) -> ModelInfo:
    return ModelInfo(
        name=name,
        family=family,
        stems=stems,
        sample_rate=sample_rate,
        licence=card.licence,
        source=card.source,
        description=card.description,
        bag=bag,
        checksums=(),
        files=files,
    )


def _require(folder: Path, holds: bool, reason: str) -> None:
    if not holds:
        raise _refusal(folder / CARD, reason)


def _refusal(file: Path, reason: str) -> UnsafeWeights:
    return UnsafeWeights(
        f"The model '{file.parent.name}' in MODEL_DIR cannot be used: {reason}.",
        hint=f"Correct {file.name}; docs/models.md says what belongs into it.",
        field="model",
    )
