"""Files of one model: found in a folder, and verified before they are read."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import ModelUnavailable, UnsafeWeights
from core.separation.weights.model_info import Bag, ModelInfo

Place = Literal["model_dir", "hub_cache", "torch_hub", "package"]
CONFIG_SUFFIXES = (".yaml", ".yml")
WEIGHTS_SUFFIXES = (".safetensors", ".ckpt", ".chpt", ".pth", ".pt", ".th")


@dataclass(frozen=True, slots=True)
class WeightsLocation:
    """The files of one model.

    Attributes
    ----------
    files : one for each network, in the order of the bag.
    checksums : for each file the first hexadecimal digits of its SHA-256, or ``""`` if unknown.
    config : the YAML file that describes the network, for families that have one.
    config_checksum : as of `checksums`.
    """

    info: ModelInfo
    bag: Bag
    files: tuple[Path, ...]
    checksums: tuple[str, ...]
    place: Place
    config: Path | None = None
    config_checksum: str = ""

    def verify(self) -> str:
        """Hash every file, compare with its checksum, and return the SHA-256 of the whole.

        That of a single network is its file's, as from ``sha256sum``. That of a bag is computed
        over the files' hexadecimal digests, one per line, and one line of JSON
        ``[weights, segment_s]``; that of a network with a config over the two files' digests.

        Raises
        ------
        UnsafeWeights : a file does not match the checksum of its name or the catalogue.
        ModelUnavailable : a file cannot be read.
        """
        digests = [
            _verify_file(file, expected)
            for file, expected in zip(self.files, self.checksums, strict=True)
        ]
        if self.config is not None:
            digests.append(_verify_file(self.config, self.config_checksum))
            return hashlib.sha256("".join(f"{line}\n" for line in digests).encode()).hexdigest()
        if len(digests) == 1 and self.bag.weights is None and self.bag.segment_s is None:
            return digests[0]
        lines = [*digests, json.dumps([self.bag.weights, self.bag.segment_s])]
        return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Places:
    """Folders in which weights are searched on this machine.

    Attributes
    ----------
    folders : of MODEL_DIR, the model's own first; they need not exist.
    hub_cache : the Hugging Face hub's cache; None stands for the hub's default.
    torch_hub : torch hub's folder of checkpoints.
    """

    folders: tuple[Path, ...]
    hub_cache: Path | None
    torch_hub: Path


def locate_files(info: ModelInfo, folder: Path) -> WeightsLocation | None:
    """Find the files that a model's own folder is listed to hold."""
    if not info.files or not all((folder / file.name).is_file() for file in info.files):
        return None
    weights = [file for file in info.files if not file.name.endswith(CONFIG_SUFFIXES)]
    config = next((file for file in info.files if file not in weights), None)
    return WeightsLocation(
        info,
        info.bag,
        tuple(folder / file.name for file in weights),
        tuple(file.sha256 for file in weights),
        "model_dir",
        None if config is None else folder / config.name,
        "" if config is None else config.sha256,
    )


def blob_checksum(file: Path) -> str:
    """Return the SHA-256 in the hub's cache name of a large file, or an empty string."""
    name = file.resolve().name
    is_sha256 = len(name) == 64 and all(digit in "0123456789abcdef" for digit in name)
    return name if is_sha256 else ""


def _verify_file(file: Path, expected: str) -> str:
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnavailable(
            f"The weights file {file.name} cannot be read: {error.strerror}.", field="model"
        ) from error
    if expected and not digest.startswith(expected.lower()):
        raise UnsafeWeights(
            f"{file.name} has SHA-256 {digest[:16]}…, not {expected[:16]}…",
            hint="The file is damaged or is another one. Delete it and fetch it again.",
            field="model",
        )
    return digest
