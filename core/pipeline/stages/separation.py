"""separation: a model splits the mixture; the residual is measured and put where it belongs."""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.pipeline.context import StageContext
from core.pipeline.options import ProcessingOptions
from core.pipeline.stage import StageResult, TrackStage
from core.separation.base import SeparatorModel
from core.separation.factory import SeparatorFactory
from core.separation.weights import WeightsStore

Samples = NDArray[np.float32]
BLOCK_SAMPLES = 1 << 20


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
        with context.reader("mixture") as reader:
            mixture, sample_rate = reader.read(), reader.sample_rate
        stems = model.separate(
            mixture, sample_rate, progress=context.report_progress, cancelled=context.cancelled
        )
        residual = _take_residual(mixture, stems)
        policy = context.options.residual
        if policy == "fold":
            stems[model.residual_stem] = stems[model.residual_stem] + residual
        elif policy == "keep":
            stems["residual"] = residual
        for stem, samples in stems.items():
            with context.writer(stem, sample_rate=sample_rate, n_channels=len(mixture)) as writer:
                writer.write(samples)
        closing_stem = {"fold": model.residual_stem, "keep": "residual", "off": None}[policy]
        null_test = {
            "residual": policy,
            "folded_into": closing_stem,
            "residual_dbfs": rms_dbfs(residual),
            "residual_peak_dbfs": peak_dbfs(residual),
        }
        return StageResult(
            data={
                "stems": list(stems),
                "closing_stem": closing_stem,
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


def _take_residual(mixture: Samples, stems: dict[str, Samples]) -> Samples:
    """Give mixture − Σ stems, shape of the mixture; summed in float64, block by block."""
    residual = np.empty_like(mixture)
    for start in range(0, mixture.shape[1], BLOCK_SAMPLES):
        part = np.s_[:, start : start + BLOCK_SAMPLES]
        total = np.zeros(mixture[part].shape)
        for samples in stems.values():
            total += samples[part]
        residual[part] = mixture[part] - total
    return residual


def rms_dbfs(samples: Samples) -> float | None:
    """Give the level of ``samples`` in dB re full scale (RMS of 1.0 is 0 dB); None for silence."""
    if not samples.size:
        return None
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return round(10 * math.log10(power), 2) if power > 0 else None


def peak_dbfs(samples: Samples) -> float | None:
    """Give the largest absolute sample in dB re full scale; None for silence."""
    peak = float(np.abs(samples).max(initial=0.0))
    return round(20 * math.log10(peak), 2) if peak > 0 else None
