"""A recording split into stems, in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.audio.buffer import Samples
from core.errors import InvalidOption
from stemcrate.local.recording import FilePath, Recording, read_recording
from stemcrate.schemas.facts import NullTest
from stemcrate.schemas.options import Preset, ProcessingOptions


@dataclass(frozen=True, slots=True)
class Separation:
    """A recording split into stems that add up to it.

    Attributes
    ----------
    stems : by name, float32, each of the mixture's shape ``(n_channels, n_samples)``.
    sample_rate : Hz, that of the mixture.
    model : name of the model that separated.
    reason : why this model, as a sentence.
    licence : of the model's code and weights.
    device : torch's name of the device that it ran on.
    null_test : what the model left of the mixture, and the stem that it was added to.
    """

    stems: dict[str, Samples]
    sample_rate: int
    model: str
    reason: str
    licence: str
    device: str
    null_test: NullTest


def separate(
    recording: Recording,
    *,
    model: str = "auto",
    stems: Sequence[str] | None = None,
    preset: Preset = "balanced",
    device: str = "auto",
    model_dir: FilePath | None = None,
    progress: Callable[[float], None] | None = None,
) -> Separation:
    """Split a recording into stems that sum to it.

    The recording and its stems are held in memory: about 20 MB a minute and stem of stereo at
    44.1 kHz. `stemcrate process` works block by block.

    Parameters
    ----------
    recording : the path of a file, or float32 ``(n_channels, n_samples)`` with its sample rate in
        Hz.
    model : a model's name; ``auto`` takes htdemucs where its weights are on this machine, else
        Spleeter; ``a+b`` averages two models.
    stems : names of those that are wanted; None for all. What only the others need is not run;
        they come together as ``accompaniment`` (all but vocals) or ``rest``.
    preset : ``fast``, ``balanced`` or ``best``: how much work the separation is worth.
    device : ``auto``, ``cpu``, ``cuda`` or ``mps``.
    model_dir : folder with weights and with models of your own.
    progress : called with a fraction in [0, 1] that never falls.

    Returns
    -------
    The stems. Silence gives exact silence.

    Raises
    ------
    InvalidAudio : the file is empty, damaged, or is not audio.
    UnknownModel : no model has this name.
    ModelUnavailable : its weights, or a package that it needs, are not on this machine.
    UnsafeWeights : its weights fail their checksum, or hold more than weights.
    DeviceUnavailable : this machine has no such device.
    InvalidOption : the model has no such stem.
    ValueError : the samples are of another shape or are not finite, or the rate is below 1 Hz.
    TypeError : the samples are not float32.
    """
    from core.pipeline.residual import close_stems, name_closing_stem
    from core.pipeline.separating import plan_separation
    from core.separation.models.ensemble import combine
    from core.separation.models.factory import SeparatorFactory
    from core.separation.streaming.quality import QualityMeter

    options = ProcessingOptions(model=model, stems=tuple(stems or ()), preset=preset)
    if not options.separates:
        raise InvalidOption(
            f"The model '{model}' separates nothing.", hint="Name a model.", field="model"
        )
    folder = None if model_dir is None else Path(model_dir)
    samples, sample_rate = read_recording(recording)
    plan = plan_separation(options, folder)
    loaded = combine(
        [SeparatorFactory.create(name, device=device, model_dir=folder) for name in plan.models],
        options.ensemble,
        options.ensemble_weights,
    )
    wanted = loaded.wanted(plan.stems)
    closing_stem = name_closing_stem(options.residual, loaded, wanted)
    meter = QualityMeter(wanted)

    def read(start: int, stop: int) -> Samples:
        return samples[:, start:stop]

    blocks = loaded.stream(
        read,
        samples.shape[0],
        samples.shape[1],
        sample_rate,
        stems=wanted,
        effort=plan.effort,
        progress=progress,
    )
    names = dict.fromkeys((*wanted, closing_stem) if closing_stem else wanted)
    separated = {name: np.zeros_like(samples) for name in names}
    start = 0
    for block in close_stems(blocks, read, closing_stem, meter):
        for name, part in block.items():
            separated[name][:, start : start + part.shape[1]] = part
        start += part.shape[1]
    card = meter.card()
    return Separation(
        stems=separated,
        sample_rate=sample_rate,
        model=loaded.name,
        reason=plan.reason,
        licence=loaded.licence,
        device=loaded.device,
        null_test=NullTest(
            residual=options.residual,
            folded_into=closing_stem,
            residual_dbfs=card.residual_dbfs,
            residual_peak_dbfs=card.residual_peak_dbfs,
        ),
    )
