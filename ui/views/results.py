"""Results: a job's tracks, which lead to their pages, its set and its files."""

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.jobs import Job, Outputs
from stemcrate.schemas.manifest import JobState
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.language import t
from ui.parts.ended import manifest_of, outputs_of
from ui.parts.job_progress import offer_retry
from ui.parts.markup import show_heading, show_section
from ui.parts.messages import (
    errors_shown,
    failure_of_job,
    failure_of_track,
    show_error,
    show_failure,
    show_warnings,
)
from ui.parts.playlist_section import show_playlist
from ui.parts.track_facts import track_title
from ui.parts.track_list import show_tracks
from ui.parts.transfers import offer_transfer
from ui.places import (
    HISTORY,
    SEPARATE,
    forget_job,
    go,
    job_in_address,
    last_job,
    put_into_address,
)
from ui.text import (
    describe_kept,
    escape_markdown,
    failed_tracks,
    length,
    moment,
    seconds_between,
    sentence_markdown,
    size,
    state_word,
)


def show() -> None:
    """Show the job in the URL, or this session's last one."""
    job_id = job_in_address() or last_job()
    if job_id is None:
        show_heading(t("Results"), t("What a job made of your tracks."))
        st.info(t("No job is open. Start one on the page Separate, or open one from the History."))
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
        show_heading(t("Results"))
        show_error(error)


def _lead_to_progress(job: Job) -> None:
    show_heading(t("Results"))
    st.info(t("This job is not done yet."))
    if pressed(t("Follow it"), type="primary", icon=":material/sync:"):
        go(SEPARATE, job.job_id)


def _show_results(client: Workbench, job: Job) -> None:
    outputs = outputs_of(client, job)
    playlist = manifest_of(client, job).playlist
    is_one = len(job.tracks) == 1
    title = track_title(job.tracks[0]) if is_one else playlist.name or t("Results")
    show_heading(title, describe_job(job))
    _show_actions(client, job, outputs)
    if job.kind == "analysis":
        st.caption(
            t("Nothing was separated, and no files were made: the result are the tracks' facts.")
        )
    if job.state == JobState.CANCELLED:
        kept = "" if job.kind == "analysis" else describe_kept(job.n_files)
        st.info(f"{t('This job was cancelled.')} {kept}".rstrip())
    if failure := failure_of_job(job):
        show_failure(failure)
    show_warnings([w for w in job.warnings if is_one or w.track_index is None])
    _show_failed(job)
    show_tracks(client, job, outputs.artefacts)
    show_playlist(client, job, playlist, outputs.artefacts)
    _show_model(job)


def _show_failed(job: Job) -> None:
    """Show why tracks failed, beside the list that names them."""
    for track in job.tracks:
        if failure := failure_of_track(job, track):
            show_failure(failure, of=track.name)


def _show_actions(client: Workbench, job: Job, outputs: Outputs) -> None:
    n_bytes = sum(a.bytes for a in outputs.artefacts if a.is_packed)
    with st.container(horizontal=True, gap="small"):
        if outputs.artefacts:
            st.link_button(
                t("Download everything (ZIP, {size})", size=size(n_bytes)),
                client.link(outputs.zip_url),
                type="primary",
                icon=":material/download:",
            )
        offer_retry(client, job)
        offer_transfer(client, job)
        st.link_button(
            t("Manifest"), client.link(job.links.manifest), icon=":material/description:"
        )
        with st.popover(t("Delete"), icon=":material/delete:"):
            st.markdown(t("Delete this job with all its files? This cannot be undone."))
            if pressed(t("Delete for good"), type="primary"):
                with errors_shown():
                    client.delete_job(job.job_id)
                    forget_job()
                    go(HISTORY)


def _show_model(job: Job) -> None:
    model = job.model
    if model.name is None:
        return
    show_section(t("Model"))
    device = job.device.name
    name = f"**{escape_markdown(model.name)}**"
    lines = [
        t("{model} on {device}", model=name, device=escape_markdown(device)) if device else name
    ]
    lines += [
        sentence_markdown(text)
        for text in (
            model.reason or "",
            f"{t('Licence')}: {model.licence}" if model.licence else "",
            f"{t('Weights')}: SHA-256 {model.weights_sha256}" if model.weights_sha256 else "",
        )
        if text
    ]
    st.markdown("\n\n".join(lines))


def describe_job(job: Job) -> str:
    """Describe in one line what ran when, on what, and for how long."""
    parts = [moment(job.created_at, st.context.timezone)]
    if job.kind == "analysis":
        parts.append(t("analysis only"))
    if name := job.model.name:
        device = job.device.name
        parts.append(t("{model} on {device}", model=name, device=device) if device else name)
    took_s = seconds_between(job.started_at, job.finished_at)
    if took_s is not None:
        parts.append(t("took {time}", time=length(took_s)))
    if job.state != JobState.COMPLETED:
        parts.append(state_word(job.state))
    if failed := failed_tracks(job.n_failed_tracks, len(job.tracks)):
        parts.append(failed)
    return " · ".join(parts)


if __name__ == "__main__":
    show()
