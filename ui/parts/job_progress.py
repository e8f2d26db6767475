"""A job on the page Separate: a live card, and at its end what can be done next."""

from typing import Any

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.jobs import Job
from stemcrate.schemas.options import ProcessingOptions, RecordedOptions
from ui.assets import module_component
from ui.buttons import pressed
from ui.connection import Workbench
from ui.kept import Again, kept
from ui.language import counted, mark, t
from ui.parts.markup import show_heading
from ui.parts.messages import (
    errors_shown,
    failure_of_job,
    failure_of_track,
    show_error,
    show_failure,
    show_warnings,
)
from ui.parts.option_words import STAGES
from ui.parts.options_form import take_options
from ui.places import RESULTS, SEPARATE, forget_job, go, track_link
from ui.text import failed_tracks, title_of

STATES = {
    "queued": mark("Waiting for a worker"),
    "running": mark("Working"),
    "completed": mark("Done"),
    "failed": mark("Failed"),
    "cancelled": mark("Cancelled"),
    "pending": mark("Waiting"),
    "skipped": mark("Left out"),
    "deleted": mark("Deleted"),
}
_card = module_component("job", "job/job.js", css="job/job.css")


def show_job(client: Workbench, job_id: str) -> None:
    """Show a job: its card follows it to its end by itself."""
    try:
        job = client.get_job(job_id)
    except ClientError as error:
        show_error(error)
        _offer_new_job()
        return
    if not job.state.is_final:
        _card(key=f"job-{job_id}", data=card_data(client, job), on_ended_change=lambda: None)
        return
    _show_end(client, job)


def card_data(client: Workbench, job: Job) -> dict[str, Any]:
    """Return what the card shows at first, and where it hears what follows."""
    return {
        "job": job.model_dump(mode="json"),
        "urls": {
            "job": client.link(job.links.self),
            "events": client.link(job.links.events),
            "cancel": client.link(job.links.cancel),
        },
        "stages": {
            stage.name: t(STAGES.get(stage.name, title_of(stage.name))) for stage in job.stages
        },
        "hrefs": [track_link(job.job_id, track.index) for track in job.tracks],
        "estimate": kept().estimates_s.get(job.job_id),
        "words": words(),
    }


def words() -> dict[str, str]:
    """Return the texts of the card."""
    return {name: t(text) for name, text in STATES.items()} | {
        "progress": t("Progress of the job"),
        "cancel": t("Cancel"),
        "cancelling": t("Cancelling the job"),
        "tell": t("Notify me at the end"),
        "away": t("The server does not answer. The job goes on; so does this page."),
        "open": t("Open"),
        "tracks": t("{n} tracks"),
        "track": t("track {n} of {all}"),
        "next": t("Waiting for a worker, next in line"),
        "place": t("Waiting for a worker, place {n} in the queue"),
        "waits": t("Waits for its turn"),
        "takes": t("takes about {time}"),
        "left": t("about {time} left"),
        "quiet": t("nothing heard for {time}"),
        "seconds": t("{n} s"),
        "minutes": t("{n} min"),
    }


def _show_end(client: Workbench, job: Job) -> None:
    names = [track.name for track in job.tracks]
    title = names[0] if len(names) == 1 else counted(len(names), "{n} track", "{n} tracks")
    show_heading(title, describe_end(job))
    if failure := failure_of_job(job):
        show_failure(failure)
    with st.container(horizontal=True, gap="small"):
        _offer_results(job)
        offer_retry(client, job)
        if pressed(t("Again with other options"), icon=":material/tune:"):
            _change(client, job)
        _offer_new_job()
    for track in job.tracks:
        if failure := failure_of_track(job, track):
            show_failure(failure, of=track.name)
    show_warnings(job.warnings, names if len(names) > 1 else ())


def describe_end(job: Job) -> str:
    """Describe how a job ended in one line."""
    failed = failed_tracks(job.n_failed_tracks, len(job.tracks))
    return " · ".join(filter(None, (t(STATES[job.state]), failed)))


def _offer_results(job: Job) -> None:
    has_results = job.n_files > 0 or (job.kind, job.state) == ("analysis", "completed")
    opened = (
        pressed(t("Open results"), type="primary", icon=":material/queue_music:")
        if has_results
        else pressed(t("Details"), icon=":material/info:")
    )
    if opened:
        go(RESULTS, job.job_id)


def offer_retry(client: Workbench, job: Job) -> None:
    """Offer to try an ended job again if that may help; then show its progress."""
    if job.can_retry and pressed(t("Try again"), icon=":material/refresh:"):
        with errors_shown():
            client.retry_job(job.job_id)
            go(SEPARATE, job.job_id)


def _change(client: Workbench, job: Job) -> None:
    """Lead to the form with the files and options of this job."""
    try:
        options = client.get_manifest(job.job_id).options
    except ClientError as error:
        show_error(error)
        return
    take_options(_known(options))
    kept().again = Again([track.name for track in job.tracks], job.job_id)
    forget_job()
    st.rerun()


def _known(options: RecordedOptions) -> ProcessingOptions:
    """Return recorded options without those that this version does not know."""
    known = set(ProcessingOptions.model_fields)
    return ProcessingOptions.model_validate(options.model_dump(include=known))


def _offer_new_job() -> None:
    if pressed(t("New job"), icon=":material/add:"):
        forget_job()
        st.rerun()
