"""A folder of MODEL_DIR that may hold a model, and its card.

MODEL_DIR/<name>/model.json      family, licence, source, description, files: all optional
MODEL_DIR/<name>/<any>.yaml      the network (SCNet, RoFormers, MDX23C) or the bag (Demucs)
MODEL_DIR/<name>/<any>.<suffix>  the weights: .safetensors, .ckpt, .pth, .pt or .th
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from core.errors import UnsafeWeights
from core.separation.weights.bag import is_plain_name
from core.separation.weights.location import CONFIG_SUFFIXES, WEIGHTS_SUFFIXES
from core.separation.weights.model_info import USER_LICENCE, Bag, ModelFile, ModelInfo
from core.separation.weights.network_config import load_yaml
from core.separation.weights.validation import first_error

CARD = "model.json"
MAX_CARD_BYTES = 65_536

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class _File(BaseModel):
    """A file of the model; a checksum is required if it has a URL."""

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
            raise ValueError(f"'{self.name}' has a url but no sha256 to verify it")
        return self


class Card(BaseModel):
    """``model.json``."""

    model_config = ConfigDict(extra="forbid")

    family: str | None = None
    licence: Line = USER_LICENCE
    source: Line = "MODEL_DIR"
    description: Line = "A model of your own."
    files: tuple[_File, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """Folder of a user model.

    Attributes
    ----------
    name : of the model.
    path : of the folder.
    is_shared : whether it is MODEL_DIR itself, which holds other models as well.
    card : from ``model.json``; the defaults without such a file.
    """

    name: str
    path: Path
    is_shared: bool
    card: Card

    @property
    def is_described(self) -> bool:
        """Whether there is a card."""
        return not self.is_shared and (self.path / CARD).is_file()

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """Files listed in the card, or else the existing ones."""
        if self.card.files:
            return tuple(ModelFile(file.name, file.sha256, file.url) for file in self.card.files)
        suffixes = (*CONFIG_SUFFIXES, *WEIGHTS_SUFFIXES)
        return tuple(
            ModelFile(file.name)
            for file in sorted(self.path.iterdir())
            if file.name.endswith(suffixes) and is_plain_name(file.name)
        )

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the files of weights."""
        return tuple(file.name for file in self.files if file.name.endswith(WEIGHTS_SUFFIXES))

    @property
    def configs(self) -> tuple[str, ...]:
        """Names of the YAML files."""
        return tuple(file.name for file in self.files if file.name.endswith(CONFIG_SUFFIXES))

    @property
    def config(self) -> Path | None:
        """The YAML file, which may be missing. None unless there is exactly one."""
        return self.path / self.configs[0] if len(self.configs) == 1 else None

    @property
    def config_content(self) -> Any:
        """Content of the YAML file; None if it is missing. Raises `UnsafeWeights`."""
        config = self.config
        return None if config is None or not config.is_file() else load_yaml(config)

    def check_one_network(self) -> None:
        """Check that there are one YAML file and one file of weights. Raises `UnsafeWeights`."""
        n_configs, n_weights = len(self.configs), len(self.weights)
        self.check(n_configs == 1, f"it needs one YAML file, not {n_configs}")
        self.check(n_weights == 1, f"it needs one file of weights, not {n_weights}")

    def check(self, holds: bool, reason: str) -> None:
        """Check a condition; raise `UnsafeWeights` with the reason if it does not hold."""
        if not holds:
            raise _refusal(self.path / CARD, reason)

    def info(
        self,
        family: str,
        stems: tuple[str, ...],
        sample_rate: int,
        bag: Bag,
        files: tuple[ModelFile, ...] = (),
    ) -> ModelInfo:
        """Return the description from the card and from what a family knows of its files."""
        return ModelInfo(
            name=self.name,
            family=family,
            stems=stems,
            sample_rate=sample_rate,
            licence=self.card.licence,
            source=self.card.source,
            description=self.card.description,
            bag=bag,
            checksums=(),
            files=files,
        )


def read_card(file: Path) -> Card:
    """Read a card; the defaults without such a file.

    Raises
    ------
    UnsafeWeights : the card is invalid.
    """
    if not file.is_file():
        return Card()
    try:
        if file.stat().st_size > MAX_CARD_BYTES:
            raise ValueError(f"it is larger than {MAX_CARD_BYTES} bytes")
        return Card.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise _refusal(file, first_error(error)) from error
    except (OSError, ValueError) as error:
        raise _refusal(file, str(error)) from error


def _refusal(file: Path, reason: str) -> UnsafeWeights:
    return UnsafeWeights(
        f"The model '{file.parent.name}' in MODEL_DIR cannot be used: {reason}.",
        hint=f"Correct {file.name}; docs/models.md describes its fields.",
        field="model",
    )
