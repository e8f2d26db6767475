"""normalization: one gain that brings the mixture to the target loudness, under the ceiling."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.facts import loudness_facts
from core.audio.metering.loudness import Loudness, measure_loudness
from core.pipeline.context import StageContext
from core.pipeline.outputs import Output, list_outputs, read_blocks, sum_blocks
from core.pipeline.results import NormalizationResult
from core.pipeline.signals import analysing
from core.pipeline.stage import TrackStage
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.options import ProcessingOptions


class NormalizationStage(TrackStage):
    """Find the gains; delivery applies them."""

    name = "normalization"
    result_type = NormalizationResult
    version = "2"
    serves_delivery = True
    cost = 2.0

    def is_wanted(self, options: ProcessingOptions) -> bool:
        """Return False when normalization is off."""
        return super().is_wanted(options) and options.normalization != "off"

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """Return mode, target and ceiling."""
        return {
            "mode": options.normalization,
            "target_lufs": options.target_lufs,
            "true_peak_ceiling_dbtp": options.true_peak_ceiling_dbtp,
        }

    def execute(self, context: StageContext) -> NormalizationResult:
        """Measure by ITU-R BS.1770-4; ``common``: the mixture; ``per_track``: every output."""
        options = context.options
        with analysing(context) as analyser:
            mixture = analyser.loudness()
        mode = options.normalization
        if mode == "common":
            gain_db = find_gain_db(
                mixture.integrated_loudness_lufs, mixture.true_peak_dbtp, options
            )
            return NormalizationResult(
                mode=mode, mixture=mixture, gain_db=gain_db, facts=JobFacts(gain_db=gain_db)
            )
        files = list_outputs(context).files
        outputs = {}
        for done, output in enumerate(files):
            outputs[output.label] = loudness_facts(_measure(context, output))
            context.progress((done + 1) / len(files))
        gains_db = {
            label: find_gain_db(measured.integrated_loudness_lufs, measured.true_peak_dbtp, options)
            for label, measured in outputs.items()
        }
        return NormalizationResult(
            mode=mode,
            mixture=mixture,
            outputs=outputs,
            gains_db=gains_db,
            facts=JobFacts(gains_db=gains_db),
        )


def find_gain_db(
    integrated_lufs: float | None, true_peak_dbtp: float | None, options: ProcessingOptions
) -> float:
    """Return the gain in dB to the target loudness, limited by the true-peak ceiling.

    Audio without a loudness (silence, shorter than 400 ms) gets no gain.
    """
    if integrated_lufs is None or true_peak_dbtp is None:
        return 0.0
    headroom = options.true_peak_ceiling_dbtp - true_peak_dbtp
    return round(min(options.target_lufs - integrated_lufs, headroom), 4)


def _measure(context: StageContext, output: Output) -> Loudness:
    with ExitStack() as stack:
        readers = {s: stack.enter_context(context.reader(s)) for s in output.sources}
        first = next(iter(readers.values()))

        def sums() -> Iterator[NDArray[np.float32]]:
            for _, blocks in read_blocks(readers, first.n_samples):
                context.check_cancelled()
                yield sum_blocks(blocks.values())

        return measure_loudness(sums(), first.sample_rate, first.n_channels)
