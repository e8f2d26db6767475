"""What the analysis looks at in a job: the mixture and the stems that lie between its stages.

Spectra are measured by the first stage that asks and read by the others.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.analysis.stems import Stems
from core.analysis.track import TrackAnalyser
from core.pipeline.context import StageContext
from core.pipeline.outputs import read_blocks, sum_blocks
from core.pipeline.results import SeparationResult
from stemcrate.schemas.facts import MIXTURE

if TYPE_CHECKING:
    from core.analysis.form.vocals import Levels
    from core.analysis.meter import Measurement
    from core.analysis.spectra import Spectra


@contextmanager
def analysing(context: StageContext) -> Iterator[TrackAnalyser]:
    """Lend the analyser of a track; what it finds is kept for every later job and command."""
    options = context.options
    with context.fact_store.recording(context.track.source.sha256) as known:
        yield TrackAnalyser(
            known,
            _Mixture(context),
            stems=_stems(context),
            tempo_range_bpm=(options.tempo_min_bpm, options.tempo_max_bpm),
        )


class _Mixture:
    """The mixture of a track."""

    def __init__(self, context: StageContext) -> None:
        self._context = context

    def kept_spectra(self) -> "Spectra | None":
        path = self._context.work_file(_spectra_name([MIXTURE]))
        return _load(path) if path.exists() else None

    def measure_spectra(self) -> "Spectra":
        return _spectra_of(self._context, [MIXTURE])

    def measure(self) -> "Measurement":
        from core.analysis.meter import MixtureMeter

        with self._context.reader(MIXTURE) as mixture:
            meter = MixtureMeter(mixture.sample_rate, mixture.n_channels)
            for block in mixture.blocks():
                self._context.check_cancelled()
                meter.add(block)
        measured = meter.finish()
        _save(self._context, [MIXTURE], measured.spectra)
        return measured


class _JobStems:
    """The stems of a track; ``identity`` is the cache key of their separation."""

    def __init__(self, context: StageContext, names: Sequence[str], identity: str | None) -> None:
        self.names = names
        self.identity = identity
        self._context = context

    def spectra(self, names: Sequence[str]) -> "Spectra":
        return _spectra_of(self._context, names)

    def levels(self, name: str) -> "Levels":
        from core.analysis.form.vocals import measure_levels

        with self._context.reader(name) as audio:
            return measure_levels(audio.blocks(), audio.sample_rate)

    def duration_s(self) -> float:
        with self._context.reader(MIXTURE) as mixture:
            return mixture.n_samples / mixture.sample_rate


def _stems(context: StageContext) -> Stems | None:
    separation = context.result(SeparationResult)
    if separation is None:
        return None
    record = next(r for r in context.track.stages if r.name == SeparationResult.stage)
    return _JobStems(context, separation.stems, record.cache_key)


def _spectra_of(context: StageContext, names: Sequence[str]) -> "Spectra":
    """Return the spectra of a sum of audio between stages, measured by the first that asks."""
    path = context.work_file(_spectra_name(names))
    if not path.exists():
        _save(context, names, _measure_spectra(context, names))
        path = context.work_file(_spectra_name(names))
    return _load(path)


def _measure_spectra(context: StageContext, names: Sequence[str]) -> "Spectra":
    from core.analysis.signal import to_mono
    from core.analysis.spectra import SpectraMeter

    with ExitStack() as stack:
        readers = {name: stack.enter_context(context.reader(name)) for name in names}
        first = next(iter(readers.values()))
        meter = SpectraMeter(first.sample_rate)
        for _, blocks in read_blocks(readers, first.n_samples):
            context.check_cancelled()
            meter.add(to_mono(sum_blocks(blocks.values())))
    return meter.finish()


def _spectra_name(names: Sequence[str]) -> str:
    return f"spectra-{'+'.join(names)}.npz"


def _save(context: StageContext, names: Sequence[str], spectra: "Spectra") -> None:
    from core.analysis.spectra import save_spectra

    with context.spare_file(_spectra_name(names)) as temporary:
        save_spectra(temporary, spectra)


def _load(path: Path) -> "Spectra":
    from core.analysis.spectra import load_spectra

    return load_spectra(path)
