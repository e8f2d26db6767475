"""The list of model families and the models of their catalogues; nothing is loaded here."""

from core.separation.families.demucs import Demucs
from core.separation.families.family import ModelFamily
from core.separation.families.networks import NETWORKS
from core.separation.families.spleeter import Spleeter
from core.separation.weights.model_info import ModelInfo

# The first family that claims a folder of MODEL_DIR has it.
FAMILIES: dict[str, ModelFamily] = {
    family.name: family for family in (Demucs(), Spleeter(), *NETWORKS)
}
CATALOGUE: dict[str, ModelInfo] = {
    info.name: info for family in FAMILIES.values() for info in family.catalogue
}
