"""Reading weights files without executing their content.

A pickle may call any function; a safetensors file holds only tensors, but Demucs stores the name of
a class in its metadata. Both are checked against a list of allowed names.
"""

import json
import pickle
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core import multiarray
from safetensors import SafetensorError, safe_open

from core.errors import UnsafeWeights

_DTYPES = (np.float32, np.float64, np.int32, np.int64, np.bool_)

# Functions that rebuild arrays and scalars of numpy, under their names in numpy 1 and 2.
NUMPY_GLOBALS: tuple[Any, ...] = (
    np.ndarray,
    np.dtype,
    *(type(np.dtype(dtype)) for dtype in _DTYPES),
    *(
        (getattr(multiarray, name), f"{module}.{name}")
        for name in ("_reconstruct", "scalar")
        for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    ),
)


def load_pickle(path: Path, allowed: Iterable[Any]) -> Any:
    """Read a ``torch.save`` file of tensors, plain containers and ``allowed`` objects only.

    Parameters
    ----------
    allowed : classes and functions, or pairs of one and its name in the file.

    Raises
    ------
    UnsafeWeights : the file names anything else, or cannot be read.
    """
    try:
        with torch.serialization.safe_globals(list(allowed)):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = _forbidden(str(error))
        raise _unsafe(path, reason) from error
    except (RuntimeError, EOFError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise _unsafe(path, f"it cannot be read ({type(error).__name__})") from error


def load_safetensors_package(path: Path, classes: Mapping[str, type]) -> dict[str, Any]:
    """Read a network in the format of demucs 4.1: ``klass``, ``args``, ``kwargs``, ``state``.

    Parameters
    ----------
    classes : the networks that the file may name, by full name.

    Returns
    -------
    A package for `demucs.states.load_model`.

    Raises
    ------
    UnsafeWeights : the file names another class, nests its state (packed weights name classes
        there), or cannot be read.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            klass = classes.get(metadata.get("klass", ""))
            if klass is None:
                raise _unsafe(path, f"it names the class {metadata.get('klass')!r}")
            if "structure" in metadata:
                raise _unsafe(path, "it has packed weights")
            return {
                "klass": klass,
                "args": _decode(json.loads(metadata["args"])),
                "kwargs": _decode(json.loads(metadata["kwargs"])),
                "state": {key: file.get_tensor(key) for key in file.keys()},  # noqa: SIM118
            }
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise _unsafe(path, f"it cannot be read ({type(error).__name__})") from error


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return Fraction(value["numerator"], value["denominator"])
        return {key: _decode(item) for key, item in value.items()}
    return [_decode(item) for item in value] if isinstance(value, list) else value


def _forbidden(message: str) -> str:
    """Extract the name from torch's long message."""
    _, found, rest = message.partition("GLOBAL ")
    return f"it names {rest.split()[0]}" if found else "it holds something other than weights"


def _unsafe(path: Path, reason: str) -> UnsafeWeights:
    return UnsafeWeights(
        f"{path.name} was not loaded: {reason}.",
        hint="Weights files can carry code. Take them from their publisher, or fetch them again.",
        field="model",
    )
