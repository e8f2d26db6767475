"""THE ordered list of stages. It is written once, here."""

from inspect import isabstract

from core.artifacts.store import JobStore
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.runtime import Runtime
from core.pipeline.stage import AnyStage, JobStage, TrackStage
from core.pipeline.stages.chords import ChordsStage
from core.pipeline.stages.composite import CompositeTrackStage
from core.pipeline.stages.decode import DecodeStage
from core.pipeline.stages.delivery import DeliveryStage
from core.pipeline.stages.descriptors import DescriptorsStage
from core.pipeline.stages.energy import EnergyStage
from core.pipeline.stages.harmonic_percussive import HarmonicPercussiveStage
from core.pipeline.stages.key import KeyStage
from core.pipeline.stages.normalization import NormalizationStage
from core.pipeline.stages.playlist import PlaylistStage
from core.pipeline.stages.separation import SeparationStage
from core.pipeline.stages.structure import StructureStage
from core.pipeline.stages.tempo import TempoStage
from core.pipeline.stages.vocals import VocalsStage
from core.pipeline.stages.waveform import WaveformStage
from core.system.registry import Registry
from stemcrate.schemas.options import OPTIONAL_STAGES

_MAIN: tuple[type[AnyStage], ...] = (
    DecodeStage,
    SeparationStage,
    HarmonicPercussiveStage,
    CompositeTrackStage,
    NormalizationStage,
    TempoStage,
    KeyStage,
    EnergyStage,
    VocalsStage,
    StructureStage,
    ChordsStage,
    DescriptorsStage,
    WaveformStage,
)
# The stages of other packages run between the two.
_LAST: tuple[type[AnyStage], ...] = (DeliveryStage, PlaylistStage)


def _is_stage(name: str, item: object) -> bool:
    is_class = isinstance(item, type) and issubclass(item, TrackStage | JobStage)
    return is_class and not isabstract(item) and getattr(item, "name", None) == name


STAGES: Registry[type[AnyStage]] = Registry(
    "stemcrate.stages", _is_stage, ((stage.name, stage) for stage in (*_MAIN, *_LAST))
)


def build_stages() -> tuple[AnyStage, ...]:
    """Make the stages in their order; one of another package that cannot be loaded is logged."""
    added = [stage for stage in STAGES.available().values() if stage not in (*_MAIN, *_LAST)]
    return tuple(stage() for stage in (*_MAIN, *added, *_LAST))


def optional_stages() -> tuple[str, ...]:
    """List the stages that a job can name: ours, then those of plug-ins that can be loaded."""
    return (*OPTIONAL_STAGES, *(name for name in STAGES.plugins() if name in STAGES.available()))


def build_pipeline(store: JobStore, runtime: Runtime | None = None) -> AudioPipeline:
    """Build the pipeline on a store."""
    return AudioPipeline(build_stages(), store, runtime)
