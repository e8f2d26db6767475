"""Descriptions of models, known before anything is loaded."""

from dataclasses import dataclass

USER_LICENCE = "Unknown: a model that was put into MODEL_DIR by hand."


@dataclass(frozen=True, slots=True)
class Bag:
    """Networks whose stems are averaged with weights.

    Attributes
    ----------
    signatures : one for each network; the name of its weights file.
    weights : one row for each network, one number for each stem; None for equal weights.
    segment_s : length of a chunk in seconds, for networks that allow it; None for their own.
    """

    signatures: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...] | None = None
    segment_s: float | None = None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model in a folder of MODEL_DIR.

    Attributes
    ----------
    sha256 : hexadecimal; empty if unknown.
    url : address for download; empty if there is none.
    """

    name: str
    sha256: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Description of a model, available without its weights.

    Attributes
    ----------
    family : name of its `core.separation.families.family.ModelFamily`.
    stems : in the model's order; empty if only the weights name them.
    sample_rate : Hz, the rate at which the model runs.
    checksums : first hexadecimal digits of each weights file's SHA-256, in the order of the bag,
        as the names of the ``.th`` files carry them.
    repository : the model's repository on the Hugging Face hub; empty without one.
    files : required files of the model's folder in MODEL_DIR; those other than YAML are its
        networks, in this order.
    memory_bytes : peak of a process that runs a whole job with the model on a CPU, as measured
        (docs/benchmarks.md); None if nobody has.
    """

    name: str
    family: str
    stems: tuple[str, ...]
    sample_rate: int
    licence: str
    source: str
    description: str
    bag: Bag
    checksums: tuple[str, ...]
    repository: str = ""
    files: tuple[ModelFile, ...] = ()
    memory_bytes: int | None = None

    @property
    def is_published(self) -> bool:
        """Whether there is an address to fetch weights from."""
        return bool(self.repository) or any(file.url for file in self.files)
