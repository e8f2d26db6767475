"""Results: a job's tracks to hear, read and download."""

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.jobs import Job, JobTrack, OutputFile, Outputs
from stemcrate.schemas.manifest import JobState, ProcessingManifest
from ui.connection import Workbench, connect
from ui.parts.markup import show_heading
from ui.parts.messages import (
    errors_shown,
    failure_of_job,
    failure_of_track,
    show_error,
    show_failure,
    show_warnings,
)
from ui.parts.playlist_section import show_playlist
from ui.parts.track_section import short_title, show_track, track_title
from ui.places import (
    HISTORY,
    PROCESS,
    forget_job,
    go,
    job_in_address,
    last_job,
    put_into_address,
)
from ui.text import (
    escape_markdown,
    failed_tracks,
    length,
    moment,
    seconds_between,
    sentence_markdown,
    size,
)

MAX_TAB_LABEL = 28


def show() -> None:
    """Show the job in the URL, or this session's last one."""
    job_id = job_in_address() or last_job()
    if job_id is None:
        show_heading("Results", "What a job made of your tracks.")
        st.info("No job is open. Start one on the Process page, or open one from the History.")
        return
    put_into_address(job_id)
    client = connect()
    try:
        job = client.get_job(job_id)
        if not job.state.is_final:
            _lead_to_progress(job)
            return
        _show_results(client, job)
    except ClientError as error:
        show_heading("Results")
        show_error(error)


def _lead_to_progress(job: Job) -> None:
    show_heading("Results")
    st.info("This job is not done yet.")
    if st.button("Follow it", type="primary", icon=":material/sync:"):
        go(PROCESS, job.job_id)


def _show_results(client: Workbench, job: Job) -> None:
    outputs = client.list_outputs(job.job_id)
    manifest = client.get_manifest(job.job_id)
    playlist = manifest.playlist
    is_one = len(job.tracks) == 1
    title = track_title(job.tracks[0]) if is_one else playlist.name or "Results"
    show_heading(title, describe_job(job))
    _show_actions(client, job, outputs)
    if job.kind == "analysis":
        st.caption("Nothing was separated, and no files were made: the facts below are the result.")
    if job.state == JobState.CANCELLED:
        st.info("This job was cancelled. What was done until then is kept.")
    if failure := failure_of_job(job):
        show_failure(failure)
    show_warnings([w for w in job.warnings if is_one or w.track_index is None])
    if not is_one:
        if failed := [track.name for track in job.tracks if track.state == JobState.FAILED]:
            st.error(f"Failed: {escape_markdown(', '.join(failed))}")
        show_playlist(client, playlist, outputs.artefacts)
    _show_tracks(client, job, manifest, outputs.artefacts)
    if is_one:
        show_playlist(client, playlist, outputs.artefacts)
    _show_model(job)


def skipped_composites(manifest: ProcessingManifest) -> dict[int, dict[str, str]]:
    """Return, by track, the composites that could not be made and why."""
    return {
        track.index: stage.result["skipped"]
        for track in manifest.tracks
        for stage in track.stages
        if stage.name == "composite" and "skipped" in stage.result
    }


def _show_tracks(
    client: Workbench, job: Job, manifest: ProcessingManifest, artefacts: list[OutputFile]
) -> None:
    """Show each track on a tab; only the open one is rendered, since each has many players."""
    skipped = skipped_composites(manifest)

    def show(track: JobTrack) -> None:
        facts = manifest.tracks[track.index].analysis
        own = [a for a in artefacts if a.track_index == track.index]
        if failure := failure_of_track(job, track):
            show_failure(failure, of=track.name)
        show_track(client, job.kind, track, facts, own, skipped.get(track.index, {}))

    if len(job.tracks) == 1:
        show(job.tracks[0])
        return
    labels = [f"{track.index + 1}. {_short(short_title(track))}" for track in job.tracks]
    tabs = st.tabs(
        [escape_markdown(label) for label in labels], on_change="rerun", key=f"tab-{job.job_id}"
    )
    for tab, track in zip(tabs, job.tracks, strict=True):
        if tab.open:
            with tab:
                st.subheader(escape_markdown(track_title(track)), anchor=False)
                show_warnings([w for w in job.warnings if w.track_index == track.index])
                show(track)


def _show_actions(client: Workbench, job: Job, outputs: Outputs) -> None:
    n_bytes = sum(a.bytes for a in outputs.artefacts if a.role != "waveform")
    with st.container(horizontal=True, gap="small"):
        if outputs.artefacts:
            st.link_button(
                f"Download everything (ZIP, {size(n_bytes)})",
                client.link(outputs.zip_url),
                type="primary",
                icon=":material/download:",
            )
        st.link_button("Manifest", client.link(job.links.manifest), icon=":material/description:")
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown("Delete this job with all its files? This cannot be undone.")
            if st.button("Delete for good", type="primary"):
                with errors_shown():
                    client.delete_job(job.job_id)
                    forget_job()
                    go(HISTORY)


def _show_model(job: Job) -> None:
    model = job.model
    if model.name is None:
        return
    st.markdown("##### Model")
    device = job.device.name
    lines = [
        f"**{escape_markdown(model.name)}**" + (f" on {escape_markdown(device)}" if device else "")
    ]
    lines += [
        sentence_markdown(text)
        for text in (
            model.reason or "",
            f"Licence: {model.licence}" if model.licence else "",
            f"Weights: SHA-256 {model.weights_sha256}" if model.weights_sha256 else "",
        )
        if text
    ]
    st.markdown("\n\n".join(lines))


def describe_job(job: Job) -> str:
    """Describe in one line what ran when, on what, and for how long."""
    parts = [moment(job.created_at, st.context.timezone)]
    if job.kind == "analysis":
        parts.append("analysis only")
    if name := job.model.name:
        device = job.device.name
        parts.append(f"{name} on {device}" if device else name)
    took_s = seconds_between(job.started_at, job.finished_at)
    if took_s is not None:
        parts.append(f"took {length(took_s)}")
    if job.state != JobState.COMPLETED:
        parts.append(job.state)
    if failed := failed_tracks(job.n_failed_tracks, len(job.tracks)):
        parts.append(failed)
    return " · ".join(parts)


def _short(title: str) -> str:
    return title if len(title) <= MAX_TAB_LABEL else f"{title[: MAX_TAB_LABEL - 1].rstrip()}…"


if __name__ == "__main__":
    show()
