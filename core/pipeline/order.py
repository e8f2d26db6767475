"""THE ordered list of stages. It is written once, here."""

from functools import lru_cache
from importlib.metadata import entry_points

from core.artifacts.store import JobStore
from core.pipeline.context import Runtime
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.stage import PipelineStage
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

ENTRY_POINT_GROUP = "stemcrate.stages"


@lru_cache
def build_stages() -> tuple[PipelineStage, ...]:
    """Give the stages in their order; those of third parties run just before delivery."""
    return (
        DecodeStage(),
        SeparationStage(),
        HarmonicPercussiveStage(),
        CompositeTrackStage(),
        NormalizationStage(),
        TempoStage(),
        KeyStage(),
        EnergyStage(),
        VocalsStage(),
        StructureStage(),
        ChordsStage(),
        DescriptorsStage(),
        WaveformStage(),
        *(point.load()() for point in entry_points(group=ENTRY_POINT_GROUP)),
        DeliveryStage(),
        PlaylistStage(),
    )


def build_pipeline(store: JobStore, runtime: Runtime | None = None) -> AudioPipeline:
    """Put the stages over a store."""
    return AudioPipeline(build_stages(), store, runtime)
