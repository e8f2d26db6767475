"""Bag files: small YAML files that list the networks of a Demucs model.

Layout as in demucs 4.1 (``demucs/repo.py``): ``models`` is a list of signatures, ``weights`` an
optional row of numbers for each network, ``segment`` an optional length in seconds.
"""

import re
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from core.errors import UnsafeWeights
from core.separation.weights.model_info import Bag
from core.separation.weights.validation import first_error

MAX_BAG_BYTES = 65_536
# Names become file names: one plain word, no folder, no hidden file.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def is_plain_name(name: str) -> bool:
    """Return whether a model's name or signature is safe as part of a file name."""
    return _PLAIN.fullmatch(name) is not None


def _check_signature(signature: str) -> str:
    if not is_plain_name(signature):
        raise ValueError("a signature is missing or is not a plain word")
    return signature


# YAML reads a signature of digits alone as a number.
_Signature = Annotated[str, BeforeValidator(str), AfterValidator(_check_signature)]


class _BagFile(BaseModel):
    """A bag file; demucs ignores other keys, too."""

    models: list[_Signature] = Field(min_length=1)
    weights: tuple[tuple[float, ...], ...] | None = None
    segment: float | None = Field(None, gt=0, lt=3600)

    @model_validator(mode="after")
    def _check(self) -> "_BagFile":
        if self.weights is not None:
            n_stems = {len(row) for row in self.weights}
            if len(self.weights) != len(self.models) or len(n_stems) != 1:
                raise ValueError("'weights' needs one row a model, all of one length")
        return self


def read_bag(path: Path) -> Bag:
    """Read a bag file.

    Raises
    ------
    UnsafeWeights : the file is not a bag, or names a file outside its folder.
    """
    try:
        if path.stat().st_size > MAX_BAG_BYTES:
            raise ValueError(f"it is larger than {MAX_BAG_BYTES} bytes")
        bag = _BagFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise _refusal(path, first_error(error)) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _refusal(path, str(error)) from error
    return Bag(tuple(bag.models), bag.weights, bag.segment)


def _refusal(path: Path, reason: str) -> UnsafeWeights:
    return UnsafeWeights(
        f"{path.name} is not a bag of models: {reason}.",
        hint="It needs a list 'models' of signatures, as demucs writes it.",
        field="model",
    )
