"""Networks described by a YAML file; `core.separation.models.network_model` runs them.

A network is any ``torch.nn.Module`` that turns float32 chunks ``(n, 2, n_samples)`` into stems
``(n, n_outputs, 2, n_samples)``.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from core.separation.families.family import ModelFamily, Package
from core.separation.weights.location import WeightsLocation
from core.separation.weights.model_folder import ModelFolder
from core.separation.weights.model_info import Bag, ModelInfo
from core.separation.weights.network_config import network_arguments, read_network_config

# Not imported: the command line lists models without waiting for SciPy.
if TYPE_CHECKING:
    from core.separation.models.base import SeparatorModel

PYMSS = Package("pymss_core", extra="pymss", requirement="pymss-core==0.1.14")


class NetworkFamily(ModelFamily):
    """A family whose models are one network, one file of weights and one YAML file.

    Parameters
    ----------
    name : of the family.
    network : ``module:class`` of the network.
    package : what must be installed besides Stemcrate.
    detect : whether the arguments of a network are those of this family.
    catalogue : the models that are known by name.
    runs_in_half : whether the layers run in 16 bits on CUDA, as they were trained.
    is_fixed_length : whether the network accepts only chunks of its own length.
    takes_config : whether the class is called with the whole YAML file instead of its ``model``.
    """

    model = "core.separation.models.network_model:NetworkModel"

    def __init__(
        self,
        name: str,
        network: str,
        package: Package | None,
        detect: Callable[[Mapping[str, Any]], bool],
        *,
        catalogue: tuple[ModelInfo, ...] = (),
        runs_in_half: bool = False,
        is_fixed_length: bool = False,
        takes_config: bool = False,
    ) -> None:
        self.name = name
        self.network = network
        self.package = package
        self.catalogue = catalogue
        self.runs_in_half = runs_in_half
        self.is_fixed_length = is_fixed_length
        self.takes_config = takes_config
        self._detect = detect

    def detect(self, config: object) -> bool:
        """Return whether the network's arguments are those of this family."""
        arguments = network_arguments(config)
        return arguments is not None and self._detect(arguments)

    def describe(self, folder: ModelFolder) -> ModelInfo | None:
        """Describe a folder whose card names this family, or whose config is of it."""
        if folder.is_shared or folder.card.family not in (None, self.name):
            return None
        config = folder.config
        is_there = config is not None and config.is_file()
        if folder.card.family is None and not (is_there and self.detect(folder.config_content)):
            return None
        folder.check_one_network()
        stems: tuple[str, ...] = ()
        sample_rate = 44100
        if config is not None and is_there:
            read = read_network_config(config)
            stems, sample_rate = read.stems, read.sample_rate
        return folder.info(self.name, stems, sample_rate, Bag(folder.weights), folder.files)

    def build(self, location: WeightsLocation, device: str) -> "SeparatorModel":
        """Load a model; the class is called with the family, too."""
        model: SeparatorModel = self._import_model()(self, location, device)
        return model


NETWORKS = (
    NetworkFamily(
        "mdx23c",
        "pymss_core.modules.mdx23c_tfc_tdf_v3:TFC_TDF_net",
        PYMSS,
        lambda model: {"num_subbands", "num_scales", "bottleneck_factor"} <= model.keys(),
        is_fixed_length=True,  # its layers halve a known number of frames
        takes_config=True,
    ),
    NetworkFamily(
        "bs_roformer",
        "pymss_core.modules.bs_roformer:BSRoformer",
        PYMSS,
        lambda model: "freqs_per_bands" in model,
        runs_in_half=True,
    ),
    NetworkFamily(
        "mel_band_roformer",
        "pymss_core.modules.bs_roformer:MelBandRoformer",
        PYMSS,
        lambda model: "num_bands" in model,
        runs_in_half=True,
    ),
    NetworkFamily("scnet", "pymss_core.modules.scnet:SCNet", PYMSS, lambda model: "dims" in model),
)
