"""A track's outputs, and how their samples are rounded to the delivery format's grid.

Stems are delivered so that they sum to the delivered mixture. The sum is made on the grid of the
format, after quantisation: in PCM the residual's stem is the mixture minus the other stems in
integers, so nothing is left over.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.audio.writing.wavefile import AudioReader
from core.pipeline.context import StageContext
from core.pipeline.results import (
    CompositeResult,
    HarmonicPercussiveResult,
    SeparationResult,
)

BLOCK_SAMPLES = 1 << 18
Grid = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Output:
    """One thing to deliver: the sum of ``sources``, which are names of audio between stages.

    ``same_as`` is the label of an earlier output with the same sources.
    """

    label: str
    role: str
    sources: tuple[str, ...]
    same_as: str | None = None


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that a track delivers, and which stem closes the sum (None: no stem does).

    Each of ``files`` is written once; ``repeats`` are other names of some of them.
    """

    files: tuple[Output, ...]
    repeats: tuple[Output, ...]
    stems: tuple[str, ...]
    closing_stem: str | None
    has_complements: bool


def list_outputs(context: StageContext) -> Outputs:
    """List what a track delivers, from what its stages made so far."""
    separation = context.require(SeparationResult)
    split = context.result(HarmonicPercussiveResult)
    parts = [] if split is None else split.parts
    composite = context.result(CompositeResult)
    composites = {} if composite is None else composite.sums
    stems = tuple(separation.stems)
    wanted = [Output(stem, "stem", (stem,)) for stem in stems]
    wanted += [Output(name, "composite", tuple(sources)) for name, sources in composites.items()]
    used = {source for sources in composites.values() for source in sources}
    wanted += [Output(part, "harmonic_percussive", (part,)) for part in parts if part not in used]
    files, repeats = _find_repeats(wanted)
    return Outputs(
        files=files,
        repeats=repeats,
        stems=stems,
        closing_stem=separation.closing_stem,
        has_complements=split is not None and split.complementary,
    )


def _find_repeats(wanted: Sequence[Output]) -> tuple[tuple[Output, ...], tuple[Output, ...]]:
    """Divide outputs into those that differ, and those that repeat one of them."""
    first: dict[tuple[str, ...], str] = {}
    files, repeats = [], []
    for output in wanted:
        label = first.setdefault(tuple(sorted(output.sources)), output.label)
        if label == output.label:
            files.append(output)
        else:
            repeats.append(replace(output, same_as=label))
    return tuple(files), tuple(repeats)


def read_blocks(
    readers: Mapping[str, AudioReader], n_samples: int
) -> Iterator[tuple[int, dict[str, NDArray[np.float32]]]]:
    """Read several files side by side: the first sample's index and a block of each."""
    for start in range(0, n_samples, BLOCK_SAMPLES):
        stop = min(start + BLOCK_SAMPLES, n_samples)
        yield start, {name: reader.read(start, stop) for name, reader in readers.items()}


def sum_blocks(blocks: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Add blocks of one shape up in float32."""
    total: NDArray[np.float32] = np.sum(list(blocks), axis=0, dtype=np.float32)
    return total


def close_sum(grid: dict[str, Grid], outputs: Outputs) -> None:
    """Make the sums of a block exact, in place.

    ``grid`` holds the mixture and its parts with their gain, rounded to the delivery format. The
    closing stem becomes the mixture minus the other stems; percussive becomes the mixture minus
    harmonic, where both are complements.
    """
    mixture = grid["mixture"]
    if outputs.closing_stem is not None:
        others = (grid[stem] for stem in outputs.stems if stem != outputs.closing_stem)
        grid[outputs.closing_stem] = mixture - sum(others, np.zeros_like(mixture))
    if outputs.has_complements:
        grid["percussive"] = mixture - grid["harmonic"]


def source_names(outputs: Outputs) -> tuple[str, ...]:
    """Name the audio that the outputs are made of, the mixture first."""
    names = [source for output in outputs.files for source in output.sources]
    return tuple(dict.fromkeys(["mixture", *names, *outputs.stems]))
