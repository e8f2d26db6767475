"""Download of weights from the Hugging Face hub."""

import errno
from pathlib import Path
from typing import Any

from core.errors import ModelUnavailable, StorageFull
from core.separation.bag import read_bag
from core.separation.catalogue import ModelInfo
from core.separation.run import Progress


def fetch_from_hub(
    info: ModelInfo,
    *,
    folder: Path | None,
    cache: Path | None,
    endpoint: str | None,
    progress: Progress | None,
) -> None:
    """Download a model's bag and weights: into ``folder``, or into the cache where that is None.

    Raises
    ------
    ModelUnavailable : the hub cannot be reached, or does not have the files.
    UnsafeWeights : the bag that came cannot be understood.
    StorageFull : the disk has no room.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HTTPError

    def download(file_name: str, **options: Any) -> Path:
        path = hf_hub_download(
            info.repository,
            file_name,
            cache_dir=cache,
            local_dir=folder,
            endpoint=endpoint,
            **options,
        )
        return Path(path)

    try:
        bag = read_bag(download(f"{info.name}.yaml", tqdm_class=_meter(None, 0.0, 0.0)))
        share = 1 / len(bag.signatures)
        for i, signature in enumerate(bag.signatures):
            meter = _meter(progress, i * share, share)
            download(f"{signature}.safetensors", tqdm_class=meter)
    except (OSError, HTTPError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise StorageFull(f"No room for the weights of '{info.name}'.") from error
        raise ModelUnavailable(
            f"The weights of '{info.name}' could not be fetched from {info.source}: "
            f"{(str(error).strip() or type(error).__name__).splitlines()[0]}",
            hint=f"Check the network and run: stemcrate models fetch {info.name}. On a machine "
            "without one, copy the files into MODEL_DIR.",
            field="model",
        ) from error


def _meter(progress: Progress | None, start: float, share: float) -> type:
    """Make a progress bar of the hub's kind that draws nothing and reports a fraction instead."""
    from huggingface_hub.utils import tqdm

    class Meter(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})
            self.total = kwargs.get("total")
            self.done = kwargs.get("initial") or 0

        def update(self, n: float | None = 1) -> bool | None:
            self.done += n or 0
            if progress is not None and self.total:
                progress(start + share * min(1.0, self.done / self.total))
            return None

    return Meter
