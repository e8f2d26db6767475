"""Download of weights: from the Hugging Face hub, or from the addresses in a model's card.

The hub's client restarts interrupted downloads, so large files are fetched by
`core.separation.weights.download`; the client provides their metadata and its cache.
"""

import errno
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.errors import ModelUnavailable, StorageFull
from core.separation.weights.bag import read_bag
from core.separation.weights.download import ByteProgress, bytes_there, content_length, download
from core.separation.weights.model_info import ModelInfo
from core.system.disk import free_bytes

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _RemoteFile:
    """A file to download; ``n_bytes`` is None if its server does not tell the size."""

    url: str
    path: Path
    sha256: str
    n_bytes: int | None


def fetch_files(info: ModelInfo, folder: Path, progress: ByteProgress | None) -> None:
    """Download the files of a model whose addresses are in its card.

    Raises
    ------
    ModelUnavailable : an address does not answer.
    UnsafeWeights : a file does not match its checksum.
    StorageFull : no space on the disk.
    """
    files = [
        _RemoteFile(file.url, folder / file.name, file.sha256, content_length(file.url))
        for file in info.files
        if file.url
    ]
    _download_all(info.name, files, progress)


def fetch_from_hub(
    info: ModelInfo,
    *,
    folder: Path | None,
    cache: Path | None,
    endpoint: str | None,
    progress: ByteProgress | None,
) -> None:
    """Download a model's bag and weights into ``folder``, or into the cache if that is None.

    Raises
    ------
    ModelUnavailable : the hub cannot be reached, or does not have the files.
    UnsafeWeights : the bag is invalid, or weights do not match the hub's checksum.
    StorageFull : no space on the disk.
    """
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import HTTPError
    from huggingface_hub.file_download import get_hf_file_metadata, hf_hub_url, repo_folder_name
    from huggingface_hub.utils import tqdm

    class Silent(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})

    repository = repo_folder_name(repo_id=info.repository, repo_type="model")
    blobs = Path(cache or constants.HF_HUB_CACHE) / repository / "blobs"

    def find(file_name: str) -> _RemoteFile:
        url = hf_hub_url(info.repository, file_name, endpoint=endpoint)
        known = get_hf_file_metadata(url, endpoint=endpoint)
        sha256 = known.etag if known.etag and _SHA256.fullmatch(known.etag) else ""
        path = blobs / sha256 if folder is None else folder / file_name
        return _RemoteFile(url, path, sha256, known.size)

    def fetch(file_name: str) -> Path:
        # Small files, and the names under which the cache lists downloaded files.
        options: dict[str, Any] = {"cache_dir": cache, "local_dir": folder, "endpoint": endpoint}
        return Path(hf_hub_download(info.repository, file_name, tqdm_class=Silent, **options))

    try:
        bag = read_bag(fetch(f"{info.name}.yaml"))
        files = {name: find(name) for name in (f"{s}.safetensors" for s in bag.signatures)}
        _download_all(info.name, [file for file in files.values() if file.sha256], progress)
        for name, file in files.items():
            if folder is None or not file.sha256:
                fetch(name)
    except (OSError, HTTPError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise StorageFull(f"No space for the weights of '{info.name}'.") from error
        raise ModelUnavailable(
            f"The weights of '{info.name}' could not be fetched from {info.source}: "
            f"{(str(error).strip() or type(error).__name__).splitlines()[0]}",
            hint="Check the network and fetch them again. On a machine without a network, copy "
            "the files into MODEL_DIR.",
            field="model",
        ) from error


def _download_all(name: str, files: Sequence[_RemoteFile], progress: ByteProgress | None) -> None:
    """Download the files of a model one after the other; report their sum."""
    sizes = [file.n_bytes for file in files if file.n_bytes is not None]
    total = sum(sizes) if len(sizes) == len(files) else None
    there = [bytes_there(file.path, file.sha256) for file in files]
    if files:
        _require_room(name, files[0].path.parent, sum(sizes) - sum(there))

    def report(index: int, n_bytes: int, _: int | None = None) -> None:
        there[index] = n_bytes
        if progress is not None:
            progress(sum(there), total)

    for i, file in enumerate(files):
        download(file.url, file.path, sha256=file.sha256, progress=partial(report, i))
        report(i, file.path.stat().st_size)


def _require_room(name: str, folder: Path, n_bytes: int) -> None:
    """Raise `StorageFull` if the disk of a folder has no room; the folder need not exist."""
    parents = [folder, *folder.absolute().parents]
    n_free = free_bytes(next(path for path in parents if path.exists()))
    if n_bytes > n_free:
        raise StorageFull(
            f"The weights of '{name}' need {n_bytes / 1e6:.0f} MB more, and the disk has "
            f"{n_free / 1e6:.0f} MB of free space.",
            hint="Free some space and fetch them again.",
        )
