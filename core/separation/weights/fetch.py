"""Download of weights: from the Hugging Face hub, or from the addresses in a model's card.

The hub's client restarts interrupted downloads, so large files are fetched by
`core.separation.weights.download`; the client provides their metadata and its cache.
"""

import errno
import re
from pathlib import Path
from typing import Any

from core.errors import ModelUnavailable, StorageFull
from core.separation.weights.bag import read_bag
from core.separation.weights.download import download
from core.separation.weights.model_info import ModelInfo
from core.system.progress import Progress

_SHA256 = re.compile(r"[0-9a-f]{64}")


def fetch_files(info: ModelInfo, folder: Path, progress: Progress | None) -> None:
    """Download the files of a model whose addresses are in its card.

    Raises
    ------
    ModelUnavailable : an address does not answer.
    UnsafeWeights : a file does not match its checksum.
    StorageFull : no space on the disk.
    """
    files = [file for file in info.files if file.url]
    for i, file in enumerate(files):
        share = _share(progress, i, len(files))
        download(file.url, folder / file.name, sha256=file.sha256, progress=share)


def fetch_from_hub(
    info: ModelInfo,
    *,
    folder: Path | None,
    cache: Path | None,
    endpoint: str | None,
    progress: Progress | None,
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

    def fetch(file_name: str, report: Progress | None = None) -> Path:
        url = hf_hub_url(info.repository, file_name, endpoint=endpoint)
        known = get_hf_file_metadata(url, endpoint=endpoint)
        if known.etag and _SHA256.fullmatch(known.etag):
            if folder is not None:
                download(url, folder / file_name, sha256=known.etag, progress=report)
                return folder / file_name
            repository = repo_folder_name(repo_id=info.repository, repo_type="model")
            blobs = Path(cache or constants.HF_HUB_CACHE) / repository / "blobs"
            download(url, blobs / known.etag, sha256=known.etag, progress=report)
        # Small files, and the names under which the cache lists downloaded files.
        options: dict[str, Any] = {"cache_dir": cache, "local_dir": folder, "endpoint": endpoint}
        return Path(hf_hub_download(info.repository, file_name, tqdm_class=Silent, **options))

    try:
        bag = read_bag(fetch(f"{info.name}.yaml"))
        for i, signature in enumerate(bag.signatures):
            fetch(f"{signature}.safetensors", _share(progress, i, len(bag.signatures)))
    except (OSError, HTTPError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise StorageFull(f"No space for the weights of '{info.name}'.") from error
        raise ModelUnavailable(
            f"The weights of '{info.name}' could not be fetched from {info.source}: "
            f"{(str(error).strip() or type(error).__name__).splitlines()[0]}",
            hint=f"Check the network and run: stemcrate models fetch {info.name}. On a machine "
            "without one, copy the files into MODEL_DIR.",
            field="model",
        ) from error


def _share(progress: Progress | None, index: int, n_parts: int) -> Progress | None:
    """Return the progress callback of one part of several."""
    if progress is None:
        return None
    return lambda fraction: progress((index + fraction) / n_parts)
