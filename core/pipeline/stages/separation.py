"""separation: a model splits the mixture; the residual is measured and assigned to a stem."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.pipeline.context import StageContext
from core.pipeline.residual import close_stems, name_closing_stem
from core.pipeline.results import SeparationResult
from core.pipeline.runtime import Runtime
from core.pipeline.separating import SeparationPlan, plan_separation
from core.pipeline.stage import TrackStage
from core.separation.models.base import SeparatorModel
from core.separation.models.ensemble import combine
from core.separation.models.factory import SeparatorFactory
from core.separation.models.loaded import LoadedModels
from core.separation.streaming.ahead import run_ahead
from core.separation.streaming.allocator import freed_memory_kept
from core.separation.streaming.quality import QualityCard, QualityMeter
from core.separation.weights.store import WeightsStore
from stemcrate.schemas.facts import JobFacts, NullTest, SeparationQuality
from stemcrate.schemas.manifest import DeviceRecord, ModelRecord
from stemcrate.schemas.options import ProcessingOptions


class SeparationStage(TrackStage):
    """Write one stem per source; their sum is the mixture unless ``residual`` is ``off``."""

    name = "separation"
    result_type = SeparationResult
    version = "2"
    essential = True
    queue = "gpu"
    serves_delivery = True
    cost = 30.0
    inputs = ("decode",)
    is_cached = True

    def __init__(self) -> None:
        self.loaded = LoadedModels()  # between the jobs of this process

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """Return the model, the effort, and the residual's policy."""
        return {
            "model": options.model,
            "preset": options.preset,
            "stems": list(options.stems),
            "shifts": options.shifts,
            "augment": options.augment,
            "wiener": options.wiener,
            "ensemble": options.ensemble,
            "ensemble_weights": list(options.ensemble_weights),
            "residual": options.residual,
        }

    def identity(self, context: StageContext) -> dict[str, Any] | None:
        """Return what determines the stems; None for a model without a weights file."""
        plan = plan_separation(context.options, context.runtime.model_dir)
        weights = WeightsStore(context.runtime.model_dir)
        # The store does not know the models of plug-ins.
        locations = [weights.locate(n) if weights.find(n) else None for n in plan.models]
        if any(location is None for location in locations):
            return None
        return {
            "models": plan.models,
            "weights": [location.verify() for location in locations if location is not None],
            "effort": asdict(plan.effort),
            "stems": plan.stems,
            "ensemble": context.options.ensemble,
            "ensemble_weights": context.options.ensemble_weights,
            "residual": context.options.residual,
            "device": context.runtime.device,
        }

    def warm_up(self, runtime: Runtime) -> None:
        """Load the model that jobs are most likely to use."""
        options = ProcessingOptions(model=runtime.warm_up_model)
        model = self._load(plan_separation(options, runtime.model_dir), options, runtime)
        rng = np.random.default_rng(0)
        model.separate(rng.uniform(-0.1, 0.1, (2, 4096)).astype(np.float32), model.sample_rate)

    def execute(self, context: StageContext) -> SeparationResult:
        """Write the stems. Raises `ModelUnavailable`, `UnknownModel`, `JobCancelled`."""
        runtime, options = context.runtime, context.options
        plan = plan_separation(options, runtime.model_dir)
        model = self._load(plan, options, runtime)
        stems = model.wanted(plan.stems)
        closing_stem = name_closing_stem(options.residual, model, stems)
        fallbacks: list[str] = []
        with context.kept_folder("chunks") as chunks, freed_memory_kept():
            card = _write_stems(context, model, plan, closing_stem, chunks, fallbacks)
        _warn(context, card, fallbacks)
        null_test = NullTest(
            residual=options.residual,
            folded_into=closing_stem,
            residual_dbfs=card.residual_dbfs,
            residual_peak_dbfs=card.residual_peak_dbfs,
        )
        quality = SeparationQuality.model_validate(asdict(card))
        delivered = stems if closing_stem in (None, *stems) else (*stems, closing_stem)
        return SeparationResult(
            stems=list(delivered),
            closing_stem=closing_stem,
            model=ModelRecord(
                name=model.name,
                requested=options.model,
                reason=plan.reason,
                licence=model.licence,
                source=_sources(plan, runtime),
                weights_sha256=model.weights_sha256,
                sample_rate=model.sample_rate,
                stems=list(model.stems),
            ),
            device=DeviceRecord(
                requested=runtime.device, name=str(model.device), fallbacks=fallbacks
            ),
            effort=asdict(plan.effort),
            null_test=null_test,
            quality=quality,
            facts=JobFacts(null_test=null_test, separation_quality=quality),
        )

    def _load(
        self, plan: SeparationPlan, options: ProcessingOptions, runtime: Runtime
    ) -> SeparatorModel:
        """Return the plan's models, loading those that are not loaded yet."""

        def load(name: str) -> SeparatorModel:
            def create() -> SeparatorModel:
                model = SeparatorFactory.create(
                    name, device=runtime.device, model_dir=runtime.model_dir
                )
                if runtime.compile_models:
                    model.compile(runtime.compiled_dir)
                return model

            key = (name, runtime.device, runtime.model_dir, runtime.compile_models)
            return self.loaded.get(key, create, max_bytes=runtime.model_cache_bytes)

        models = [load(name) for name in plan.models]
        return combine(models, options.ensemble, options.ensemble_weights)


def _sources(plan: SeparationPlan, runtime: Runtime) -> list[str]:
    """Return where the models come from, as far as their weights are known."""
    known = {info.name: info.source for info in WeightsStore(runtime.model_dir).models()}
    return [known[name] for name in plan.models if name in known]


def _write_stems(
    context: StageContext,
    model: SeparatorModel,
    plan: SeparationPlan,
    closing_stem: str | None,
    chunks: Path,
    fallbacks: list[str],
) -> QualityCard:
    """Separate the mixture block by block; the network runs one block ahead of the disk."""
    stems = model.wanted(plan.stems)
    meter = QualityMeter(stems)
    with ExitStack() as stack:
        mixture = stack.enter_context(context.reader("mixture"))
        audio = {"sample_rate": mixture.sample_rate, "n_channels": mixture.n_channels}
        names = dict.fromkeys((*stems, closing_stem) if closing_stem else stems)
        writers = {name: stack.enter_context(context.writer(name, **audio)) for name in names}
        source = stack.enter_context(context.reader("mixture"))  # the model reads on a thread
        blocks = run_ahead(
            model.stream(
                source.read,
                mixture.n_channels,
                mixture.n_samples,
                mixture.sample_rate,
                stems=plan.stems,
                effort=plan.effort,
                progress=context.report_progress,
                cancelled=context.cancelled,
                tell=fallbacks.append,
                checkpoint=chunks,
            )
        )
        stack.callback(blocks.close)
        for block in close_stems(blocks, mixture.read, closing_stem, meter):
            for name, samples in block.items():
                writers[name].write(samples)
    return meter.card()


def _warn(context: StageContext, card: QualityCard, fallbacks: list[str]) -> None:
    for sentence in fallbacks:
        context.warn("device_fallback", sentence)
    if card.mixture_is_silent:
        return
    for stem, quality in card.stems.items():
        if quality.is_silent:
            context.warn("silent_stem", f"'{stem}' is silent: the model found none in the mixture.")
