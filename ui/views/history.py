"""History: all jobs by time."""

import streamlit as st

from stemcrate.schemas.jobs import JobSummary
from stemcrate.schemas.manifest import JobState
from ui.connection import Workbench, connect
from ui.parts.markup import show_heading
from ui.parts.messages import errors_shown
from ui.places import PROCESS, RESULTS, go
from ui.text import escape_markdown, failed_tracks, moment

BEFORE = "before"
PAGE_LENGTH = 20
MAX_NAMES = 3
STATE_COLOURS = {
    "queued": "gray",
    "running": "violet",
    "completed": "green",
    "failed": "red",
    "cancelled": "orange",
}


def show() -> None:
    """Show a page of jobs, newest first; the URL holds its cursor."""
    client = connect()
    show_heading("History", "Every job, newest first.")
    _offer_opening_by_id(client)
    with errors_shown():
        page = client.list_jobs(cursor=st.query_params.get(BEFORE), limit=PAGE_LENGTH)
        if not page.jobs:
            st.info("No jobs yet. The Process page starts one.")
        for job in page.jobs:
            _show_line(job)
        _offer_pages(page.next_cursor)


def _offer_opening_by_id(client: Workbench) -> None:
    with st.form("open", border=False):
        field, button = st.columns([5, 1], vertical_alignment="bottom")
        job_id = field.text_input("Job id", placeholder="Open a job by its id").strip()
        is_sent = button.form_submit_button("Open", width="stretch")
    if is_sent and job_id:
        with errors_shown():
            _open(job_id, client.get_job(job_id).state)


def _show_line(job: JobSummary) -> None:
    with st.container(border=True):
        what, button = st.columns([6, 1], vertical_alignment="center")
        what.markdown(f"**{escape_markdown(describe_names(job))}**")
        with what.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.badge(job.state, color=STATE_COLOURS[job.state])
            if failed := failed_tracks(job.n_failed_tracks, job.n_tracks):
                st.badge(failed, color="red")
            if job.kind == "analysis":
                st.badge("analysis only", color="blue")
            if job.n_warnings:
                noun = "warning" if job.n_warnings == 1 else "warnings"
                st.badge(f"{job.n_warnings} {noun}", color="orange")
            facts = [moment(job.created_at, st.context.timezone), job.model or ""]
            st.caption(escape_markdown(" · ".join(filter(None, facts))), width="content")
        if button.button("Open", key=f"open-{job.job_id}", width="stretch"):
            _open(job.job_id, job.state)


def describe_names(job: JobSummary) -> str:
    """Return the names of a job's first tracks and the number of the others."""
    names = ", ".join(job.names[:MAX_NAMES])
    n_more = job.n_tracks - min(MAX_NAMES, len(job.names))
    return f"{names} and {n_more} more" if n_more > 0 else names


def _offer_pages(next_cursor: str | None) -> None:
    with st.container(horizontal=True):
        if BEFORE in st.query_params and st.button("Newest", icon=":material/first_page:"):
            del st.query_params[BEFORE]
            st.rerun()
        if next_cursor and st.button("Older", icon=":material/chevron_right:"):
            st.query_params[BEFORE] = next_cursor
            st.rerun()


def _open(job_id: str, state: JobState) -> None:
    go(RESULTS if state.is_final else PROCESS, job_id)


if __name__ == "__main__":
    show()
