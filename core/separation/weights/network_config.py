"""The YAML file that describes a network of the families that pymss-core runs.

The layout is that of Music-Source-Separation-Training, in which these networks are published:
``audio`` (rate, length of a chunk), ``model`` (the network's arguments), ``training`` (its stems)
and ``inference`` (how chunks overlap). Reading it loads no network.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import UnsafeWeights
from core.separation.weights.catalogue import Family

MAX_CONFIG_BYTES = 1 << 20
MAX_CHUNK_S = (
    20.0  # `core.separation.streaming.mixture` keeps a minute, and three chunks are on their way
)
# What the others leave; a model's own word for it is taken first.
RESIDUAL_STEMS = ("other", "accompaniment")
_OWN_WORDS = {"instrumental": "accompaniment", "drum": "drums", "vocal": "vocals"}
_STEM = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """One network.

    Attributes
    ----------
    sample_rate : Hz.
    chunk_samples : length of what the network is given at once.
    overlap : share of a chunk that the next one covers, in [0, 1).
    is_scaled : whether the network wants a mixture of mean 0 and standard deviation 1.
    outputs : names of the stems that the network gives, in its order.
    stems : those of the model; one more than `outputs` where the config names what a single output
        leaves.
    residual_stem : the stem that takes what the others leave, if any.
    content : the whole file; ``content["model"]`` are the network's arguments.
    """

    family: Family
    sample_rate: int
    chunk_samples: int
    overlap: float
    is_scaled: bool
    outputs: tuple[str, ...]
    stems: tuple[str, ...]
    residual_stem: str | None
    content: Mapping[str, Any]


class _Loader(yaml.SafeLoader):
    """Plain YAML, the tuples that these files are written with, and numbers such as ``1e-4``."""


def _tuple(loader: yaml.SafeLoader, node: Any) -> tuple[Any, ...]:
    return tuple(loader.construct_sequence(node))


_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _tuple)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"), list("-+0123456789")
)


def load_yaml(path: Path) -> Any:
    """Read a small YAML file; a tag that names code is refused.

    Raises
    ------
    UnsafeWeights : it is too large, is no YAML or names code.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError(f"it is larger than {MAX_CONFIG_BYTES} bytes")
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _refusal(path, str(error).splitlines()[0]) from error


def detect_family(content: object) -> Family | None:
    """Tell a network's family by the arguments that no other family has; None where none fits."""
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(model, dict):
        return None
    if {"num_subbands", "num_scales", "bottleneck_factor"} <= model.keys():
        return "mdx23c"
    if "freqs_per_bands" in model:
        return "bs_roformer"
    if "num_bands" in model:
        return "mel_band_roformer"
    if "dims" in model:
        return "scnet"
    return None


def read_network_config(path: Path, family: Family | None = None) -> NetworkConfig:
    """Read a network's description.

    Parameters
    ----------
    family : None detects it.

    Raises
    ------
    UnsafeWeights : the file names code, or lacks what a network needs.
    """
    content = load_yaml(path)
    try:
        return _parse(content, family or detect_family(content))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise _refusal(path, reason) from error


def _parse(content: Any, family: Family | None) -> NetworkConfig:
    if family is None:
        raise ValueError("its 'model' is of no family that is known; name it in model.json")
    audio, training = content["audio"], content["training"]
    inference = content.get("inference") or {}
    sample_rate = int(audio.get("sample_rate", 44100))
    chunk_samples = int(inference.get("chunk_size") or audio["chunk_size"])
    if not 1 <= sample_rate <= 384_000:
        raise ValueError(f"a sample rate of {sample_rate} Hz makes no sense")
    if not 0 < chunk_samples <= MAX_CHUNK_S * sample_rate:
        raise ValueError(f"a chunk_size of {chunk_samples} is not within {MAX_CHUNK_S:.0f} s")
    n_channels = int(audio.get("num_channels", 2))
    if n_channels != 2:
        raise ValueError(f"it wants {n_channels} channels instead of 2")
    num_overlap = int(inference.get("num_overlap", 2))
    if not 1 <= num_overlap <= 50:
        raise ValueError(f"num_overlap must lie in 1 to 50, got {num_overlap}")
    named = tuple(_stem(name) for name in training["instruments"])
    target = training.get("target_instrument")
    outputs = named if not target else (_stem(target),)
    rest = [stem for stem in named if stem not in outputs]
    # One output and one other name: that one is what the first leaves, as in Spleeter.
    stems = (*outputs, *rest) if len(outputs) == len(rest) == 1 else outputs
    if len(set(stems)) < max(len(stems), 1):
        raise ValueError(f"its instruments {list(stems)} do not differ")
    residual = next((stem for stem in RESIDUAL_STEMS if stem in stems), None)
    return NetworkConfig(
        family=family,
        sample_rate=sample_rate,
        chunk_samples=chunk_samples,
        overlap=1 - 1 / num_overlap,
        is_scaled=bool(inference.get("normalize", False)),
        outputs=outputs,
        stems=stems,
        residual_stem=stems[-1] if len(stems) > len(outputs) else residual,
        content=content,
    )


def _stem(name: object) -> str:
    """Bring a stem's name to our words; it becomes part of file names."""
    plain = "_".join(str(name).lower().split())
    plain = _OWN_WORDS.get(plain, plain)
    if not _STEM.fullmatch(plain):
        raise ValueError(f"'{name}' cannot be the name of a stem")
    return plain


def _refusal(path: Path, reason: str) -> UnsafeWeights:
    return UnsafeWeights(
        f"{path.name} does not describe a network: {reason}.",
        hint="Take the YAML file that was published with the weights.",
        field="model",
    )
