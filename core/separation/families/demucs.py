"""Demucs: bags of networks.

Looked for in this order:

1. ``MODEL_DIR/<name>/`` and ``MODEL_DIR`` itself: a bag ``<name>.yaml`` (the catalogue has those of
   known models) with ``<signature>.safetensors`` or ``<signature>[-<checksum>].th``;
2. the Hugging Face hub's cache, as demucs 4.1 fills it;
3. torch hub's cache of checkpoints, as older versions of demucs filled it.

Sources: the bags (``demucs/remote/*.yaml``) and file names (``demucs/remote/files.txt``) of demucs
4.1; the repositories' names by ``demucs/hf.py``.
"""

import json
import re
from pathlib import Path

from safetensors import SafetensorError, safe_open

from core.separation.families.family import ModelFamily
from core.separation.weights.bag import read_bag
from core.separation.weights.location import Places, WeightsLocation, blob_checksum
from core.separation.weights.model_folder import ModelFolder
from core.separation.weights.model_info import Bag, ModelInfo
from core.separation.weights.network_config import load_yaml, network_arguments

LICENCE = (
    "Code: MIT (Meta). Weights: no licence stated; Meta said that the MIT licence of the code does "
    "not cover them (facebookresearch/demucs#327), and they were trained on MUSDB18-HQ and more."
)
FOUR_STEMS = ("drums", "bass", "other", "vocals")
SIX_STEMS = (*FOUR_STEMS, "guitar", "piano")
_IDENTITY = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))


def _demucs(
    name: str,
    files: tuple[str, ...],
    description: str,
    *,
    stems: tuple[str, ...] = FOUR_STEMS,
    weights: tuple[tuple[float, ...], ...] | None = None,
    segment_s: float | None = None,
    memory_bytes: int | None = None,
) -> ModelInfo:
    signatures, checksums = zip(*(file.split("-") for file in files), strict=True)
    title = "HTDemucs" + name.removeprefix("htdemucs").replace("_", "-", 1)
    repository = title if name.startswith("htdemucs") else f"Demucs-{name}"
    return ModelInfo(
        name=name,
        family="demucs",
        stems=stems,
        sample_rate=44100,
        licence=LICENCE,
        source=f"https://huggingface.co/adefossez/{repository}",
        description=description,
        bag=Bag(signatures, weights, segment_s),
        checksums=checksums,
        repository=f"adefossez/{repository}",
        memory_bytes=memory_bytes,
    )


class Demucs(ModelFamily):
    """Bags of Demucs networks.

    The catalogue leaves out mdx_q and mdx_extra_q (their weights are packed by diffq, which has no
    wheels for current Pythons and unpickles classes of its own) and the repro_mdx_a bags (trained
    for a paper's ablation).
    """

    name = "demucs"
    model = "core.separation.models.demucs_model:DemucsModel"
    catalogue = (
        _demucs(
            "htdemucs",
            ("955717e8-8726e21a",),
            "Hybrid Transformer Demucs: four stems; the default where its weights are.",
            memory_bytes=1_590_000_000,
        ),
        _demucs(
            "htdemucs_ft",
            ("f7e0c4bc-ba3fe64a", "d12395a8-e57c48e6", "92cfc3b6-ef3bcb9c", "04573f0d-f3cf25b2"),
            "htdemucs, one network fine-tuned for each stem: four times the work, a little better.",
            weights=_IDENTITY,
            memory_bytes=2_550_000_000,
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
    )

    def describe(self, folder: ModelFolder) -> ModelInfo | None:
        """Describe the bag ``<name>.yaml`` of a folder."""
        bag_file = folder.path / f"{folder.name}.yaml"
        if not bag_file.is_file() or (
            not folder.is_shared and network_arguments(load_yaml(bag_file)) is not None
        ):
            folder.check(
                folder.card.family != self.name, f"a Demucs model needs its bag, {folder.name}.yaml"
            )
            return None
        bag = read_bag(bag_file)
        stems = _read_stems(folder.path / f"{bag.signatures[0]}.safetensors")
        files = folder.files if folder.card.files else ()
        return folder.info(self.name, stems, 44100, bag, files)

    def locate(self, info: ModelInfo, places: Places) -> WeightsLocation | None:
        """Find a bag in MODEL_DIR, the hub's cache or torch hub's."""
        for folder in places.folders:
            found = _locate_in_folder(info, folder)
            if found is not None:
                return found
        return _locate_in_hub_cache(info, places) or _locate_in_torch_hub(info, places)

    def missing_hint(self, info: ModelInfo) -> str:
        """Return the command, or the files that the bag names."""
        if info.repository or info.files:
            return super().missing_hint(info)
        return f"Put a file for each of {', '.join(info.bag.signatures)} next to its bag file."


def _locate_in_folder(info: ModelInfo, folder: Path) -> WeightsLocation | None:
    """Find a model's bag (or use that of the catalogue) and a file for each of its networks."""
    listed = {file.name: file.sha256 for file in info.files}
    bag_file = folder / f"{info.name}.yaml"
    bag = read_bag(bag_file) if bag_file.is_file() else info.bag
    expected: tuple[str, ...] = ("",) * len(bag.signatures)
    if bag.signatures == info.bag.signatures and info.checksums:
        expected = info.checksums
    files, checksums = [], []
    for signature, known in zip(bag.signatures, expected, strict=True):
        file = _network_file(folder, signature, known)
        if file is None:
            return None
        named = file.stem.removeprefix(signature).lstrip("-")
        files.append(file)
        guessed = "" if file.suffix == ".safetensors" else known or named
        checksums.append(listed.get(file.name) or guessed)
    return WeightsLocation(info, bag, tuple(files), tuple(checksums), "model_dir")


def _network_file(folder: Path, signature: str, checksum: str) -> Path | None:
    checked = re.compile(rf"{re.escape(signature)}-[0-9a-f]{{8,64}}\.th")
    candidates = [
        folder / f"{signature}.safetensors",
        folder / f"{signature}-{checksum}.th",
        *sorted(file for file in folder.glob("*.th") if checked.fullmatch(file.name)),
        folder / f"{signature}.th",
    ]
    return next((file for file in candidates if file.is_file()), None)


def _locate_in_hub_cache(info: ModelInfo, places: Places) -> WeightsLocation | None:
    if not info.repository:
        return None
    from huggingface_hub import try_to_load_from_cache

    def cached(file_name: str) -> Path | None:
        path = try_to_load_from_cache(info.repository, file_name, cache_dir=places.hub_cache)
        return Path(path) if isinstance(path, str) else None

    bag_file = cached(f"{info.name}.yaml")
    bag = read_bag(bag_file) if bag_file else info.bag
    files = [cached(f"{signature}.safetensors") for signature in bag.signatures]
    present = tuple(file for file in files if file is not None)
    if len(present) < len(files):
        return None
    checksums = tuple(map(blob_checksum, present))
    return WeightsLocation(info, bag, present, checksums, "hub_cache")


def _locate_in_torch_hub(info: ModelInfo, places: Places) -> WeightsLocation | None:
    if not info.checksums:
        return None
    names = zip(info.bag.signatures, info.checksums, strict=True)
    files = tuple(places.torch_hub / f"{name}-{checksum}.th" for name, checksum in names)
    if not all(file.is_file() for file in files):
        return None
    return WeightsLocation(info, info.bag, files, info.checksums, "torch_hub")


def _read_stems(file: Path) -> tuple[str, ...]:
    """Read the stems' names from the metadata of a network; empty if they cannot be read."""
    try:
        with safe_open(str(file), framework="numpy") as content:
            sources = json.loads((content.metadata() or {})["kwargs"])["sources"]
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(map(str, sources)) if isinstance(sources, list) else ()
