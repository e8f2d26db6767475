"""The five extension points: all that a plug-in needs, and all that it may import.

A package provides plug-ins by entry points; docs/plugins.md builds one from beginning to end::

    [project.entry-points."stemcrate.separators"]
    my-model = "my_package:build"               # a Builder

    [project.entry-points."stemcrate.stages"]
    my_stage = "my_package:MyStage"             # a class: TrackStage or JobStage, `name` as here

    [project.entry-points."stemcrate.exporters"]
    my-format = "my_package:FORMAT"             # an ExportFormat, `name` as here

    [project.entry-points."stemcrate.sources"]
    my-service = "my_package:MySource"          # a class: LinkSource, `name` as here

    [project.entry-points."stemcrate.enrichers"]
    my-ears = "my_package:MyEnricher"           # a class: Enricher, `name` as here

A separator is named in ``model=``, a stage in ``stages=``, an exporter as a format, an enricher in
ENRICHERS; a source is asked whether it takes a link. Those that Stemcrate ships are registered in
the same registries. A plug-in that cannot be loaded is logged with the name of its package, and
whoever asks for it is told why.

Conventions: audio is float32, shape ``(n_channels, n_samples)``, finite, nominal range ±1, never
mutated; sample rates are in Hz; times end in ``_s``, levels in ``_db``, ``_dbfs`` or ``_lufs``.

Separators
----------
Builder(name, *, device, model_dir) -> SeparatorModel
SeparatorModel.stream_stereo(mixture: StereoMixture, run: Run) -> Iterator[StemBlock]

Stages
------
TrackStage.execute(context: StageContext) -> StageResult
JobStage.execute(context: JobContext) -> StageResult

Exporters
---------
ExportFormat(name, label, write: Exporter, needs_target=False)
Exporter(crate: Crate, options: ExportOptions) -> Export

Sources
-------
LinkSource.takes(url) -> bool
LinkSource.fetch(url, folder, known_etag) -> Fetched | Playlist | None

Enrichers
---------
Enricher.enrich(track: EnrichedTrack) -> Finding
"""

from core.enrichment.enricher import EnrichedTrack, Enricher, Finding
from core.enrichment.registry import ENRICHERS
from core.enrichment.settings import EnricherSettings
from core.errors import StageFailed, StemcrateError
from core.export.format import Export, Exporter, ExportFormat, ExportOptions
from core.export.model import Crate, CratePlaylist, CrateTrack
from core.export.registry import EXPORTERS
from core.pipeline.context import JobContext, StageContext
from core.pipeline.order import STAGES
from core.pipeline.results import StageResult
from core.pipeline.stage import JobStage, PipelineStage, TrackStage
from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SEPARATORS, Builder
from core.separation.streaming.mixture import StemBlock, StereoMixture
from core.separation.streaming.run import Run
from core.sources.links import SOURCES
from core.sources.source import Fetched, LinkSource, Playlist, SourceSettings
from core.system.registry import Registry
from stemcrate.schemas.enrichment import Estimate, Proposal, ScoredTag
from stemcrate.schemas.ingests import ListedTrack
from stemcrate.schemas.record import Facts

__all__ = [
    "ENRICHERS",
    "EXPORTERS",
    "SEPARATORS",
    "SOURCES",
    "STAGES",
    "Builder",
    "Crate",
    "CratePlaylist",
    "CrateTrack",
    "EnrichedTrack",
    "Enricher",
    "EnricherSettings",
    "Estimate",
    "Export",
    "ExportFormat",
    "ExportOptions",
    "Exporter",
    "Facts",
    "Fetched",
    "Finding",
    "JobContext",
    "JobStage",
    "LinkSource",
    "ListedTrack",
    "PipelineStage",
    "Playlist",
    "Proposal",
    "Registry",
    "Run",
    "ScoredTag",
    "SeparatorModel",
    "SourceSettings",
    "StageContext",
    "StageFailed",
    "StageResult",
    "StemBlock",
    "StemcrateError",
    "StereoMixture",
    "TrackStage",
]
