"""Converts manifests to API models."""

from api.links import artefact_path, job_links, render_path, zip_path
from core.artifacts.job_index import job_kind
from core.errors import JobNotFinished
from core.jobs.progress import JobProgress
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.jobs import (
    Job,
    JobLinks,
    JobReceipt,
    JobTrack,
    JobWarning,
    OutputFile,
    Outputs,
    StageSummary,
)
from stemcrate.schemas.manifest import Artefact, JobState, ProcessingManifest, ProcessingStage
from stemcrate.schemas.renders import Render, RenderLinks, RenderRecord
from stemcrate.schemas.weights import FetchRecord, WeightsFetch

_SMALL_GROUPS = {"delivered_loudness"}


def job_reference(job_id: str, state: JobState) -> JobReceipt:
    """Return a job's receipt."""
    return JobReceipt(job_id=job_id, state=state, links=JobLinks(**job_links(job_id)))


def job_view(
    manifest: ProcessingManifest,
    progress: JobProgress,
    *,
    can_retry: bool,
    queue_place: int | None = None,
) -> Job:
    """Return a job's state and progress."""
    return Job(
        job_id=manifest.job_id,
        kind=job_kind(manifest),
        state=manifest.state,
        created_at=manifest.created_at,
        started_at=manifest.started_at,
        finished_at=manifest.finished_at,
        queue_place=queue_place,
        stage=progress.stage,
        track_index=progress.track_index,
        fraction=progress.fraction,
        eta_s=progress.eta_s,
        silent_s=progress.silent_s,
        model=manifest.model,
        device=manifest.device,
        tracks=[
            JobTrack(
                index=track.index,
                id=track.source.sha256,
                name=track.source.name,
                state=track.state,
                analysis=_single_values(track.analysis),
                error=track.error,
            )
            for track in manifest.tracks
        ],
        n_failed_tracks=manifest.n_failed_tracks,
        n_files=sum(artefact.is_packed for artefact in manifest.all_artefacts()),
        can_retry=can_retry,
        stages=[
            *(_stage_view(s, track.index) for track in manifest.tracks for s in track.stages),
            *(_stage_view(stage, None) for stage in manifest.stages),
        ],
        warnings=[
            *(w for track in manifest.tracks for w in _warning_views(track.stages, track.index)),
            *_warning_views(manifest.stages, None),
        ],
        error=manifest.error,
        links=JobLinks(**job_links(manifest.job_id)),
    )


def outputs_view(manifest: ProcessingManifest) -> Outputs:
    """Return a job's outputs. Raises `JobNotFinished`."""
    require_final(manifest)
    job_id = manifest.job_id
    return Outputs(
        job_id=job_id,
        artefacts=[
            *(_artefact_view(job_id, a, t.index) for t in manifest.tracks for a in t.artefacts),
            *(_artefact_view(job_id, artefact, None) for artefact in manifest.artefacts),
        ],
        zip_url=zip_path(job_id),
    )


def require_final(manifest: ProcessingManifest) -> None:
    """Refuse results that may still change. Raises `JobNotFinished`."""
    if not manifest.state.is_final:
        raise JobNotFinished(
            f"Job '{manifest.job_id}' is {manifest.state}.",
            hint=f"Wait for it: GET {job_links(manifest.job_id)['events']}, or poll it.",
        )


def render_view(record: RenderRecord, fraction: float) -> Render:
    """Return a render's state and progress."""
    path = render_path(record.id)
    return Render(
        id=record.id,
        state=record.state,
        fraction=fraction,
        created_at=record.created_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
        request=record.request,
        file=record.file,
        transition=record.transition,
        warnings=record.warnings,
        error=record.error,
        links=RenderLinks(self=path, file=f"{path}/file"),
    )


def fetch_view(record: FetchRecord) -> WeightsFetch:
    """Return the state and progress of a download of weights."""
    total = record.total_bytes
    fraction = min(1.0, record.done_bytes / total) if total else None
    if record.state == JobState.COMPLETED:
        fraction = 1.0
    return WeightsFetch(fraction=fraction, **record.model_dump(exclude={"run"}))


def _single_values(analysis: JobFacts) -> JobFacts:
    """Return the facts without lists and large groups, of which a set has megabytes."""
    found = analysis.model_dump(mode="json")
    return JobFacts.model_validate(
        {
            name: value
            for name, value in found.items()
            if name in _SMALL_GROUPS or not isinstance(value, list | dict)
        }
    )


def _stage_view(stage: ProcessingStage, track_index: int | None) -> StageSummary:
    return StageSummary(
        track_index=track_index,
        name=stage.name,
        state=stage.state,
        seconds=stage.seconds,
        attempts=stage.attempts,
    )


def _warning_views(stages: list[ProcessingStage], track_index: int | None) -> list[JobWarning]:
    return [
        JobWarning(**warning.model_dump(), track_index=track_index)
        for stage in stages
        for warning in stage.warnings
    ]


def _artefact_view(job_id: str, artefact: Artefact, track_index: int | None) -> OutputFile:
    return OutputFile(
        **artefact.model_dump(),
        track_index=track_index,
        url=artefact_path(job_id, artefact.name),
    )
