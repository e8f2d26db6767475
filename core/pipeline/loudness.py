"""Loudness of outputs as delivered, from their loudness before gain."""

from dataclasses import dataclass

from core.pipeline.context import StageContext
from core.pipeline.outputs import Output
from core.pipeline.results import NormalizationResult
from stemcrate.schemas.delivered import DeliveredLoudness, LoudnessLimit
from stemcrate.schemas.facts import MIXTURE, LoudnessFacts
from stemcrate.schemas.options import ProcessingOptions

REACHED_WITHIN_LU = 0.05
"""Distance from the target, in LU, that one decimal does not show."""


@dataclass(frozen=True, slots=True)
class DeliveredGain:
    """The gain of an output in dB.

    Parameters
    ----------
    gain_db : in all.
    rescaled_db : the part of it, 0 or less, that keeps integers from clipping.
    is_clamped : whether samples beyond full scale were cut off, which changes the true peak.
    """

    gain_db: float
    rescaled_db: float = 0.0
    is_clamped: bool = False


def describe_output(
    context: StageContext, output: Output, gain: DeliveredGain
) -> DeliveredLoudness | None:
    """Describe an output as delivered; None if nobody measured it.

    The mixture is measured in every job with normalization or energy, other outputs with
    ``normalization=per_track``.
    """
    normalization = context.result(NormalizationResult)
    source = _find_source(context, output, normalization)
    if source is None:
        return None
    return describe_loudness(source, gain, None if normalization is None else context.options)


def describe_loudness(
    source: LoudnessFacts, gain: DeliveredGain, options: ProcessingOptions | None
) -> DeliveredLoudness:
    """Describe audio as delivered.

    Parameters
    ----------
    source : before gain.
    options : with the target and the ceiling; None without normalization.
    """
    lufs = _add(source.integrated_loudness_lufs, gain.gain_db)
    limit = note = None
    if options is not None and lufs is not None:
        limit = _find_limit(lufs, gain, options)
        note = limit and _tell(lufs, limit, options)
    return DeliveredLoudness(
        integrated_lufs=lufs,
        true_peak_dbtp=None if gain.is_clamped else _add(source.true_peak_dbtp, gain.gain_db),
        target_lufs=None if options is None else options.target_lufs,
        limit=limit,
        note=note,
    )


def _find_source(
    context: StageContext, output: Output, normalization: NormalizationResult | None
) -> LoudnessFacts | None:
    if normalization is not None and output.label in normalization.outputs:
        return normalization.outputs[output.label]
    if output.sources != (MIXTURE,):
        return None
    if normalization is not None:
        return normalization.mixture
    is_measured = "integrated_loudness_lufs" in context.facts.model_fields_set
    return context.facts if is_measured else None


def _find_limit(
    lufs: float, gain: DeliveredGain, options: ProcessingOptions
) -> LoudnessLimit | None:
    missing_lu = options.target_lufs - lufs
    if missing_lu <= REACHED_WITHIN_LU:
        return None
    is_rescaled = missing_lu + gain.rescaled_db <= REACHED_WITHIN_LU
    return "full_scale" if is_rescaled else "true_peak_ceiling"


def _tell(lufs: float, limit: LoudnessLimit, options: ProcessingOptions) -> str:
    obstacle = (
        "exceed full scale"
        if limit == "full_scale"
        else f"exceed the ceiling of {options.true_peak_ceiling_dbtp:.1f} dBTP"
    )
    words = (
        f"target {options.target_lufs:.1f}, reached {lufs:.1f} LUFS: a higher gain would {obstacle}"
    )
    return words.replace("-", "−")


def _add(level: float | None, gain_db: float) -> float | None:
    return None if level is None else round(level + gain_db, 3)
