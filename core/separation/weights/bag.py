"""Bag files: the small YAML files that say which networks make up a Demucs model.

Layout as in demucs 4.1 (``demucs/repo.py``): ``models`` is a list of signatures, ``weights`` an
optional row of numbers a network, ``segment`` an optional length in seconds.
"""

import re
from pathlib import Path

import yaml

from core.errors import UnsafeWeights
from core.separation.weights.catalogue import Bag

MAX_BAG_BYTES = 65_536
# Names become file names: one plain word, no folder, no hidden file.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def is_plain_name(name: str) -> bool:
    """Tell whether a model's name or signature is safe as part of a file name."""
    return _PLAIN.fullmatch(name) is not None


def read_bag(path: Path) -> Bag:
    """Read a bag file.

    Raises
    ------
    UnsafeWeights : the file is not a bag, or names a file outside its folder.
    """
    try:
        if path.stat().st_size > MAX_BAG_BYTES:
            raise ValueError(f"it is larger than {MAX_BAG_BYTES} bytes")
        return _parse(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise UnsafeWeights(
            f"{path.name} is not a bag of models: {error}.",
            hint="It needs a list 'models' of signatures, as demucs writes it.",
            field="model",
        ) from error


def _parse(content: object) -> Bag:
    if not isinstance(content, dict) or not isinstance(content.get("models"), list):
        raise ValueError("it has no list 'models'")
    signatures = tuple(str(signature) for signature in content["models"])
    if not signatures or not all(map(is_plain_name, signatures)):
        raise ValueError("a signature is missing or is not a plain word")
    weights = content.get("weights")
    if weights is not None:
        weights = tuple(tuple(float(value) for value in row) for row in weights)
        if len(weights) != len(signatures) or len({len(row) for row in weights}) != 1:
            raise ValueError("'weights' needs one row a model, all of one length")
    segment = content.get("segment")
    segment_s = None if segment is None else float(segment)
    if segment_s is not None and not 0 < segment_s < 3600:
        raise ValueError("'segment' must be a positive number of seconds")
    return Bag(signatures, weights, segment_s)
