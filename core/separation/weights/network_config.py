"""The YAML file that describes a network.

The layout is that of Music-Source-Separation-Training, in which these networks are published:
``audio`` (rate, length of a chunk), ``model`` (the network's arguments), ``training`` (its stems)
and ``inference`` (how chunks overlap). Reading it loads no network.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

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
from core.separation.weights.validation import first_error

MAX_CONFIG_BYTES = 1 << 20
# `core.separation.streaming.mixture` keeps a minute, and three chunks are in flight.
MAX_CHUNK_S = 20.0
# Names of the residual stem; a model's own name comes first.
RESIDUAL_STEMS = ("other", "accompaniment")
_OWN_WORDS = {"instrumental": "accompaniment", "drum": "drums", "vocal": "vocals"}
_STEM = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """One network.

    Attributes
    ----------
    sample_rate : Hz.
    chunk_samples : length of a chunk in samples.
    overlap : share of a chunk that the next one covers, in [0, 1).
    is_scaled : whether the network expects a mixture of mean 0 and standard deviation 1.
    outputs : names of the stems that the network returns, in its order.
    stems : those of the model; one more than `outputs` if the config names the complement of a
        single output.
    residual_stem : the stem that gets the residual, if any.
    content : the whole file; ``content["model"]`` are the network's arguments.
    """

    sample_rate: int
    chunk_samples: int
    overlap: float
    is_scaled: bool
    outputs: tuple[str, ...]
    stems: tuple[str, ...]
    residual_stem: str | None
    content: Mapping[str, Any]


class _Loader(yaml.SafeLoader):
    """Plain YAML with the tuples of these files, and numbers such as ``1e-4``."""


def _tuple(loader: yaml.SafeLoader, node: Any) -> tuple[Any, ...]:
    return tuple(loader.construct_sequence(node))


_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _tuple)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"), list("-+0123456789")
)


def load_yaml(path: Path) -> Any:
    """Read a small YAML file; tags that name code are rejected.

    Raises
    ------
    UnsafeWeights : the file is too large, is not YAML or names code.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError(f"it is larger than {MAX_CONFIG_BYTES} bytes")
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise refuse_config(path, str(error).splitlines()[0]) from error


def network_arguments(content: object) -> Mapping[str, Any] | None:
    """Return the arguments of the network that a YAML file describes; None if it describes none."""
    arguments = content.get("model") if isinstance(content, dict) else None
    return arguments if isinstance(arguments, dict) else None


def _to_stem(name: object) -> str:
    """Translate a stem's name to ours; it becomes part of file names."""
    plain = "_".join(str(name).lower().split())
    plain = _OWN_WORDS.get(plain, plain)
    if not _STEM.fullmatch(plain):
        raise ValueError(f"'{name}' cannot be the name of a stem")
    return plain


def _check_stereo(n_channels: int) -> int:
    if n_channels != 2:
        raise ValueError(f"it needs {n_channels} channels instead of 2")
    return n_channels


def _to_int(value: Any) -> int:
    """Read an integer in the notation of published files, such as ``131072.0``."""
    try:
        return int(value)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{value!r} is not a whole number") from error


_Stem = Annotated[str, BeforeValidator(_to_stem)]
_OptionalStem = Annotated[str | None, BeforeValidator(lambda s: _to_stem(s) if s else None)]
_Integer = Annotated[int, BeforeValidator(_to_int)]
_OptionalInteger = Annotated[int | None, BeforeValidator(lambda n: _to_int(n) if n else None)]


class _Audio(BaseModel):
    sample_rate: Annotated[_Integer, Field(ge=1, le=384_000)] = 44100
    chunk_size: _OptionalInteger = None
    num_channels: Annotated[_Integer, AfterValidator(_check_stereo)] = 2


class _Training(BaseModel):
    instruments: tuple[_Stem, ...]
    target_instrument: _OptionalStem = None


class _Inference(BaseModel):
    chunk_size: _OptionalInteger = None
    num_overlap: Annotated[_Integer, Field(ge=1, le=50)] = 2
    normalize: Annotated[bool, BeforeValidator(bool)] = False


class _NetworkFile(BaseModel):
    """The parts of the file that Stemcrate reads; the network reads its own."""

    audio: _Audio
    training: _Training
    inference: Annotated[_Inference, BeforeValidator(lambda value: value or {})] = _Inference()

    @property
    def chunk_samples(self) -> int:
        return self.inference.chunk_size or self.audio.chunk_size or 0

    @property
    def outputs(self) -> tuple[str, ...]:
        target = self.training.target_instrument
        return self.training.instruments if target is None else (target,)

    @property
    def stems(self) -> tuple[str, ...]:
        rest = [stem for stem in self.training.instruments if stem not in self.outputs]
        # One output and one other name: that is the complement of the first, as in Spleeter.
        return (*self.outputs, *rest) if len(self.outputs) == len(rest) == 1 else self.outputs

    @model_validator(mode="after")
    def _check(self) -> "_NetworkFile":
        if not 0 < self.chunk_samples <= MAX_CHUNK_S * self.audio.sample_rate:
            raise ValueError(
                f"a chunk_size of {self.chunk_samples} is not within {MAX_CHUNK_S:.0f} s"
            )
        if len(set(self.stems)) < max(len(self.stems), 1):
            raise ValueError(f"its instruments {list(self.stems)} are not distinct")
        return self


def read_network_config(path: Path) -> NetworkConfig:
    """Read a network's description.

    Raises
    ------
    UnsafeWeights : the file names code, or lacks a required entry.
    """
    content = load_yaml(path)
    try:
        file = _NetworkFile.model_validate(content)
    except ValidationError as error:
        raise refuse_config(path, first_error(error)) from error
    outputs, stems = file.outputs, file.stems
    residual = next((stem for stem in RESIDUAL_STEMS if stem in stems), None)
    return NetworkConfig(
        sample_rate=file.audio.sample_rate,
        chunk_samples=file.chunk_samples,
        overlap=1 - 1 / file.inference.num_overlap,
        is_scaled=file.inference.normalize,
        outputs=outputs,
        stems=stems,
        residual_stem=stems[-1] if len(stems) > len(outputs) else residual,
        content=content,
    )


def refuse_config(path: Path, reason: str) -> UnsafeWeights:
    """Return the error for a YAML file that cannot be used."""
    return UnsafeWeights(
        f"{path.name} does not describe a network: {reason}.",
        hint="Take the YAML file that was published with the weights.",
        field="model",
    )
