"""The first manifest of a job: what it will do, with which options and software."""

import platform
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from core.artifacts.uploads import Upload
from core.pipeline.stage import AnyStage
from core.system.clock import now
from stemcrate.schemas.manifest import (
    ProcessingManifest,
    ProcessingStage,
    SourceRecord,
    TrackRecord,
)
from stemcrate.schemas.options import ProcessingOptions, RecordedOptions

RECORDED_PACKAGES = ("stemcrate", "torch", "demucs", "soundfile", "av", "soxr", "numpy", "scipy")


def new_manifest(
    job_id: str,
    uploads: Sequence[Upload],
    options: ProcessingOptions,
    *,
    owner: str,
    track_stages: Sequence[AnyStage],
    job_stages: Sequence[AnyStage],
) -> ProcessingManifest:
    """Return the manifest of a job that waits to be run."""
    return ProcessingManifest(
        job_id=job_id,
        owner=owner,
        created_at=now(),
        options=RecordedOptions.of(options),
        software=dict(_versions()),
        tracks=[
            TrackRecord(
                index=index,
                source=SourceRecord(name=upload.name, sha256=upload.sha256, bytes=upload.n_bytes),
                stages=[_record(stage, options) for stage in track_stages],
            )
            for index, upload in enumerate(uploads)
        ],
        stages=[_record(stage, options) for stage in job_stages],
    )


def _record(stage: AnyStage, options: ProcessingOptions) -> ProcessingStage:
    return ProcessingStage(
        name=stage.name, version=stage.version, parameters=stage.parameters(options)
    )


@cache
def _versions() -> dict[str, str]:
    """Return the versions of this process, which are read from files."""
    versions = {"python": platform.python_version()}
    for package in RECORDED_PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
