"""Signals shared by several stages: the first caller computes them, the others read them."""

from contextlib import ExitStack

from core.analysis.signal import to_mono
from core.analysis.spectra import Spectra, SpectraMeter, load_spectra, save_spectra
from core.audio.metering.loudness import measure_loudness
from core.pipeline.context import StageContext
from core.pipeline.outputs import read_blocks, sum_blocks
from core.pipeline.results import NormalizationResult, SeparationResult
from core.system.atomic import atomic_path
from stemcrate.schemas.facts import LoudnessFacts

_PITCHED_STEMS = ("bass", "other", "guitar", "piano")


def spectra_of(context: StageContext, *sources: str) -> Spectra:
    """Return the spectra of the sum of named audio, such as ``mixture``."""
    path = context.work_folder / f"spectra-{'+'.join(sources)}.npz"
    if not path.exists():
        with atomic_path(path) as temporary:
            save_spectra(temporary, _measure_spectra(context, sources))
    return load_spectra(path)


def _measure_spectra(context: StageContext, sources: tuple[str, ...]) -> Spectra:
    with ExitStack() as stack:
        readers = {name: stack.enter_context(context.reader(name)) for name in sources}
        first = next(iter(readers.values()))
        meter = SpectraMeter(first.sample_rate)
        for _, blocks in read_blocks(readers, first.n_samples):
            context.check_cancelled()
            meter.add(to_mono(sum_blocks(blocks.values())))
    return meter.finish()


def stems_of(context: StageContext) -> tuple[str, ...]:
    """Return the names of the available stems; empty if nothing was separated."""
    separation = context.result(SeparationResult)
    return () if separation is None else tuple(separation.stems)


def pitched_stems_of(context: StageContext) -> tuple[str, ...]:
    """Return the stems that carry the harmony: neither drums nor vocals, nor sums with them."""
    return tuple(stem for stem in stems_of(context) if stem in _PITCHED_STEMS)


def mixture_loudness(context: StageContext) -> LoudnessFacts:
    """Measure the mixture as it came in (ITU-R BS.1770-4, EBU Tech 3342).

    Reuses the normalization stage's measurement if there is one.
    """
    from core.analysis.facts import loudness_facts

    normalization = context.result(NormalizationResult)
    if normalization is not None:
        return normalization.mixture
    with context.reader("mixture") as mixture:
        loudness = measure_loudness(mixture.blocks(), mixture.sample_rate, mixture.n_channels)
    return loudness_facts(loudness)
