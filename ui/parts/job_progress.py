"""A running job: progress, remaining time, stages, and cancel."""

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.jobs import Job, StageSummary
from stemcrate.schemas.manifest import JobState
from ui.connection import Workbench
from ui.parts.markup import show_heading, show_html
from ui.parts.messages import (
    errors_shown,
    failure_of_job,
    failure_of_track,
    show_error,
    show_failure,
    show_warnings,
)
from ui.places import RESULTS, forget_job, go
from ui.text import escape_html, failed_tracks, length, time_left, title_of

POLL_INTERVAL_S = 1.0
QUIET_AFTER_S = 120.0
MARKS = {
    "completed": "✓",
    "running": "●",
    "failed": "✕",
    "skipped": "–",
    "cancelled": "–",
    "pending": "○",
}
STOPPED_STATES = (JobState.FAILED, JobState.CANCELLED)
SUBTITLES = {
    "queued": "Waiting for a worker",
    "running": "Working",
    "completed": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


def show_job(client: Workbench, job_id: str) -> None:
    """Show a job and refresh it until it ends."""
    try:
        job = client.get_job(job_id)
    except ClientError as error:
        show_error(error)
        _offer_new_job()
        return
    is_live = not job.state.is_final

    @st.fragment(run_every=POLL_INTERVAL_S if is_live else None)
    def panel() -> None:
        with errors_shown():
            now = client.get_job(job_id)
            if is_live and now.state.is_final:
                st.rerun()
            show_progress(client, now)

    panel()


def show_progress(client: Workbench, job: Job) -> None:
    """Show the current progress of a job."""
    names = [track.name for track in job.tracks]
    title = names[0] if len(names) == 1 else f"{len(names)} tracks"
    show_heading(title, describe_progress(job))
    if job.state not in STOPPED_STATES:
        st.progress(min(1.0, max(0.0, job.fraction)))
    if failure := failure_of_job(job):
        show_failure(failure)
    _show_actions(client, job)
    for track in job.tracks:
        _show_stages(track.name, [s for s in job.stages if s.track_index == track.index])
        if failure := failure_of_track(job, track):
            show_failure(failure, of=track.name)
    _show_stages("The whole job", [s for s in job.stages if s.track_index is None])
    show_warnings(job.warnings, names if len(names) > 1 else ())


def describe_progress(job: Job) -> str:
    """Describe the current stage, its track and the remaining time in one line."""
    if job.state.is_final or job.stage is None:
        failed = failed_tracks(job.n_failed_tracks, len(job.tracks))
        return " · ".join(filter(None, (SUBTITLES[job.state], failed)))
    parts = [title_of(job.stage)]
    if job.track_index is not None and len(job.tracks) > 1:
        parts.append(f"track {job.track_index + 1} of {len(job.tracks)}")
    silent_s = job.silent_s or 0.0
    is_quiet = silent_s >= QUIET_AFTER_S
    news = f"nothing heard for {length(silent_s)}" if is_quiet else time_left(job.eta_s)
    parts += [f"{100 * job.fraction:.0f} %", news]
    return " · ".join(part for part in parts if part)


def stage_list(stages: list[StageSummary]) -> str:
    """Return the list of a track's stages as markup, with each state in words."""
    items = "".join(map(_stage_item, stages))
    return f'<ul class="sc-stages">{items}</ul>'


def _stage_item(stage: StageSummary) -> str:
    title, state = title_of(stage.name), _describe(stage)
    return (
        f'<li data-state="{escape_html(stage.state)}" title="{escape_html(state)}" '
        f'aria-label="{escape_html(f"{title}: {state}")}">'
        f"{MARKS.get(stage.state, '○')} {escape_html(title)}</li>"
    )


def _describe(stage: StageSummary) -> str:
    if stage.seconds is None:
        return stage.state
    return f"{stage.state}, {stage.seconds:.1f} s"


def _show_stages(title: str, stages: list[StageSummary]) -> None:
    if stages:
        show_html(f"<b>{escape_html(title)}</b>{stage_list(stages)}")


def _show_actions(client: Workbench, job: Job) -> None:
    if job.state.is_final:
        with st.container(horizontal=True, gap="small"):
            if st.button("Open results", type="primary", icon=":material/queue_music:"):
                go(RESULTS, job.job_id)
            _offer_new_job()
    elif st.button("Cancel", icon=":material/stop_circle:"):
        with errors_shown():
            client.cancel_job(job.job_id)
            st.toast("Cancelling the job")


def _offer_new_job() -> None:
    if st.button("New job", icon=":material/add:"):
        forget_job()
        st.rerun()
