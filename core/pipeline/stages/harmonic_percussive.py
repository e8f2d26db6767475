"""harmonic_percussive: the mixture as harmonic plus percussive (median-filter HPSS)."""

from typing import Any

from core.pipeline.context import StageContext
from core.pipeline.results import HarmonicPercussiveResult
from core.pipeline.stage import TrackStage
from stemcrate.schemas.options import ProcessingOptions


class HarmonicPercussiveStage(TrackStage):
    """Write ``harmonic`` and ``percussive``; with margins of 1 they sum to the mixture."""

    name = "harmonic_percussive"
    result_type = HarmonicPercussiveResult
    serves_delivery = True
    cost = 4.0
    inputs = ("decode",)
    is_cached = True

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """Return the median filters' length and the margins."""
        return {
            "kernel_size": options.hpss_kernel_size,
            "margin_harmonic": options.hpss_margin_harmonic,
            "margin_percussive": options.hpss_margin_percussive,
        }

    def execute(self, context: StageContext) -> HarmonicPercussiveResult:
        """Split block by block."""
        from core.analysis.harmonic_percussive import split_blocks

        options = context.options
        margin = (options.hpss_margin_harmonic, options.hpss_margin_percussive)
        with context.reader("mixture") as mixture:
            audio = {"sample_rate": mixture.sample_rate, "n_channels": mixture.n_channels}
            with (
                context.writer("harmonic", **audio) as harmonic,
                context.writer("percussive", **audio) as percussive,
            ):
                done = 0
                for block_h, block_p in split_blocks(
                    lambda start, count: mixture.read(start, start + count),
                    mixture.n_samples,
                    mixture.n_channels,
                    kernel_size=options.hpss_kernel_size,
                    margin=margin,
                ):
                    harmonic.write(block_h)
                    percussive.write(block_p)
                    done += block_h.shape[1]
                    context.progress(done / mixture.n_samples)
        complementary = margin == (1.0, 1.0)
        if not complementary:
            context.warn(
                "not_complementary",
                "With margins above 1, harmonic + percussive is less than the mixture.",
            )
        return HarmonicPercussiveResult(
            parts=["harmonic", "percussive"], complementary=complementary
        )
