"""What is known of a model before anything is loaded."""

from dataclasses import dataclass

USER_LICENCE = "Unknown: a model that was put into MODEL_DIR by hand."


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
    """A file of a model in a folder of MODEL_DIR.

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
    family : name of its `core.separation.families.family.ModelFamily`.
    stems : in the order in which the model gives them; empty where only the weights name them.
    sample_rate : Hz, the rate at which the model runs.
    checksums : first hexadecimal digits of each weights file's SHA-256, in the order of the bag,
        as the names of the ``.th`` files carry them.
    repository : the model's repository on the Hugging Face hub; empty where there is none.
    files : what the model's own folder in MODEL_DIR must hold; its networks are those that are not
        YAML, in this order.
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
