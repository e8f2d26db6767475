"""separation: a model splits the mixture; the residual is measured and put where it belongs."""

import math
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.pipeline.context import StageContext
from core.pipeline.options import ProcessingOptions
from core.pipeline.outputs import read_blocks
from core.pipeline.stage import StageResult, TrackStage
from core.separation.base import SeparatorModel
from core.separation.factory import SeparatorFactory
from core.separation.weights import WeightsStore


@lru_cache(maxsize=1)
def load_model(name: str, device: str, model_dir: Path | None) -> SeparatorModel:
    """Load a model, or give the one that is loaded already."""
    return SeparatorFactory.create(name, device=device, model_dir=model_dir)


class SeparationStage(TrackStage):
    """Write one stem a source; their sum is the mixture unless ``residual`` is ``off``."""

    name = "separation"
    essential = True
    queue = "gpu"
    cost = 30.0

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """The model and the residual's policy."""
        return {"model": options.model, "residual": options.residual}

    def execute(self, context: StageContext) -> StageResult:
        """Write the stems. Raises `ModelUnavailable`, `UnknownModel`, `JobCancelled`."""
        runtime = context.runtime
        name, reason = WeightsStore(runtime.model_dir).resolve_auto(context.options.model)
        model = load_model(name, runtime.device, runtime.model_dir)
        _write_stems(context, model)
        policy = context.options.residual
        null_test = _place_residual(context, model)
        return StageResult(
            data={
                "stems": [*model.stems, *(["residual"] if policy == "keep" else [])],
                "closing_stem": null_test["folded_into"],
                "model": {
                    "name": model.name,
                    "requested": context.options.model,
                    "reason": reason,
                    "licence": model.licence,
                    "weights_sha256": model.weights_sha256,
                    "sample_rate": model.sample_rate,
                    "stems": list(model.stems),
                },
                "device": {"requested": runtime.device, "name": str(model.device)},
                "null_test": null_test,
            },
            analysis={"null_test": null_test},
        )


def _write_stems(context: StageContext, model: SeparatorModel) -> None:
    """Separate the mixture block by block."""
    with ExitStack() as stack:
        mixture = stack.enter_context(context.reader("mixture"))
        audio = {"sample_rate": mixture.sample_rate, "n_channels": mixture.n_channels}
        writers = {s: stack.enter_context(context.writer(s, **audio)) for s in model.stems}
        for block in model.stream(
            mixture.read,
            mixture.n_channels,
            mixture.n_samples,
            mixture.sample_rate,
            progress=context.report_progress,
            cancelled=context.cancelled,
        ):
            for stem, samples in block.items():
                writers[stem].write(samples)


def _place_residual(context: StageContext, model: SeparatorModel) -> dict[str, Any]:
    """Measure mixture − Σ stems, and fold it into a stem, keep it as one, or leave it out."""
    policy = context.options.residual
    closing_stem = {"fold": model.residual_stem, "keep": "residual", "off": None}[policy]
    power, peak, n_values = 0.0, 0.0, 0
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(context.reader(name)) for name in ("mixture", *model.stems)
        }
        mixture = readers["mixture"]
        writer = None
        if closing_stem is not None:
            audio = {"sample_rate": mixture.sample_rate, "n_channels": mixture.n_channels}
            writer = stack.enter_context(context.writer(closing_stem, **audio))
        for _, blocks in read_blocks(readers, mixture.n_samples):
            context.check_cancelled()
            stems = [blocks[stem].astype(np.float64) for stem in model.stems]
            residual = blocks["mixture"] - np.sum(stems, axis=0)
            power += float(np.square(residual).sum())
            peak = max(peak, float(np.abs(residual).max(initial=0.0)))
            n_values += residual.size
            if writer is not None:
                if policy == "fold":
                    residual = residual + blocks[model.residual_stem]
                writer.write(residual.astype(np.float32))
    return {
        "residual": policy,
        "folded_into": closing_stem,
        "residual_dbfs": _dbfs((power / n_values) ** 0.5 if n_values else 0.0),
        "residual_peak_dbfs": _dbfs(peak),
    }


def _dbfs(level: float) -> float | None:
    """Give a level in dB re full scale; None for silence."""
    return round(20 * math.log10(level), 2) if level > 0 else None
