"""History: all jobs by time, to find, open, try again and delete."""

from collections.abc import Callable

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.jobs import JobQuery, JobSummary
from stemcrate.schemas.manifest import JobState
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.language import counted, t
from ui.parts.markup import show_heading
from ui.parts.messages import errors_shown, show_error
from ui.places import RESULTS, SEPARATE, go
from ui.text import escape_markdown, failed_tracks, moment, size, state_word

BEFORE = "before"
TEXT = "text"
STATE = "state"
PAGE_LENGTH = 20
MAX_NAMES = 3
MAX_TEXT = 500
STATE_COLOURS = {
    "queued": "gray",
    "running": "violet",
    "completed": "green",
    "failed": "red",
    "cancelled": "orange",
}
_STATES = {*JobState}
_CHOSEN = "history-chosen-"
_REFUSED = "history-refused"


def show() -> None:
    """Show a page of jobs, newest first; the URL holds the search and the cursor."""
    client = connect()
    show_heading(t("History"), t("Every job, newest first."))
    _offer_search()
    with errors_shown():
        page = client.list_jobs(_query())
        _show_refusals()
        if page.jobs:
            _offer_changes(client, page.jobs)
        elif _is_narrowed():
            st.info(t("No job matches. Clear the search to see all of them."))
        else:
            st.info(t("No jobs yet. The page Separate starts one."))
        for job in page.jobs:
            _show_line(job)
        _offer_pages(page.next_cursor)


def _query() -> JobQuery:
    address = st.query_params
    asked: dict[str, object] = {"limit": PAGE_LENGTH}
    if text := address.get(TEXT, "")[:MAX_TEXT]:
        asked["text"] = text
    if (state := address.get(STATE)) in _STATES:
        asked["state"] = state
    if cursor := address.get(BEFORE):
        asked["cursor"] = cursor
    return JobQuery.model_validate(asked)


def _is_narrowed() -> bool:
    return bool({TEXT, STATE} & {*st.query_params})


def _offer_search() -> None:
    address = st.query_params
    field, choice = st.columns([3, 1], vertical_alignment="bottom")
    text = field.text_input(
        t("Search"),
        address.get(TEXT, ""),
        placeholder=t("Words of the file's name, or a job's id"),
        max_chars=MAX_TEXT,
        icon=":material/search:",
        key="history-text",
    ).strip()
    states = [None, *JobState]
    given = address.get(STATE)
    state = choice.selectbox(
        t("State"),
        states,
        index=states.index(JobState(given)) if given in _STATES else 0,
        format_func=lambda one: t("All") if one is None else state_word(one),
        key="history-state",
    )
    wanted = {TEXT: text, STATE: state.value if state else ""}
    if wanted != {name: address.get(name, "") for name in wanted}:
        # Another search begins at its first page.
        address.from_dict({name: value for name, value in wanted.items() if value})
        st.rerun()


def _offer_changes(client: Workbench, jobs: list[JobSummary]) -> None:
    chosen = [job for job in jobs if st.session_state.get(_CHOSEN + job.job_id)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        is_all = len(chosen) == len(jobs)
        if pressed(
            t("Select none") if is_all else t("Select all"), key="select-all", type="tertiary"
        ):
            _choose(jobs, not is_all)
            st.rerun()
        if not chosen:
            return
        words = counted(len(chosen), "{n} job", "{n} jobs")
        st.caption(f"{words} · {size(sum(job.n_bytes for job in chosen))}", width="content")
        again = [job for job in chosen if job.can_retry]
        if again and pressed(
            counted(len(again), "Try {n} again", "Try {n} again"),
            icon=":material/replay:",
            key="retry-chosen",
        ):
            _change(client.retry_job, again)
        if pressed(t("Delete"), icon=":material/delete:", key="delete-chosen"):
            st.dialog(t("Delete"))(_confirm)(client, chosen)


def _confirm(client: Workbench, jobs: list[JobSummary]) -> None:
    st.write(
        counted(
            len(jobs),
            "This job, its stems and its playlist are deleted.",
            "These {n} jobs, their stems and their playlists are deleted.",
        )
    )
    if any(not job.state.is_final for job in jobs):
        st.write(t("What runs is cancelled."))
    for job in jobs[:PAGE_LENGTH]:
        st.markdown(f"- {escape_markdown(describe_names(job))}")
    label = t("Delete, free {size}", size=size(sum(job.n_bytes for job in jobs)))
    if pressed(label, type="primary", icon=":material/delete:", key="delete-for-good"):
        _change(client.delete_job, jobs)


def _change(operate: Callable[[str], object], jobs: list[JobSummary]) -> None:
    """Do the same with each job; what the API refuses is shown above the list."""
    refused = []
    bar = st.progress(0.0)
    for place, job in enumerate(jobs, start=1):
        try:
            operate(job.job_id)
        except ClientError as error:
            refused.append((describe_names(job), error))
        bar.progress(place / len(jobs))
    st.session_state[_REFUSED] = refused
    _choose(jobs, False)
    st.rerun()


def _choose(jobs: list[JobSummary], is_chosen: bool) -> None:
    for job in jobs:
        st.session_state[_CHOSEN + job.job_id] = is_chosen


def _show_refusals() -> None:
    for names, error in st.session_state.pop(_REFUSED, ()):
        st.markdown(f"**{escape_markdown(names)}**")
        show_error(error)


def _show_line(job: JobSummary) -> None:
    with st.container(border=True):
        choice, what, button = st.columns([0.5, 6, 1.2], vertical_alignment="center")
        names = describe_names(job)
        choice.checkbox(
            t("Select {names}", names=names),
            key=_CHOSEN + job.job_id,
            label_visibility="collapsed",
        )
        what.markdown(f"**{escape_markdown(names)}**")
        with what.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.badge(state_word(job.state), color=STATE_COLOURS[job.state])
            if failed := failed_tracks(job.n_failed_tracks, job.n_tracks):
                st.badge(failed, color="red")
            if job.kind == "analysis":
                st.badge(t("analysis only"), color="blue")
            if job.n_warnings:
                words = counted(job.n_warnings, "{n} warning", "{n} warnings")
                st.badge(words, color="orange")
            facts = [
                moment(job.created_at, st.context.timezone),
                size(job.n_bytes) if job.n_bytes else "",
                job.model or "",
            ]
            st.caption(escape_markdown(" · ".join(filter(None, facts))), width="content")
        with button:
            if pressed(t("Open"), key=f"open-{job.job_id}", width="stretch"):
                go(RESULTS if job.state.is_final else SEPARATE, job.job_id)


def describe_names(job: JobSummary) -> str:
    """Return the names of a job's first tracks and the number of the others."""
    names = ", ".join(job.names[:MAX_NAMES])
    n_more = job.n_tracks - min(MAX_NAMES, len(job.names))
    return names + (t(" and {n} more", n=n_more) if n_more > 0 else "")


def _offer_pages(next_cursor: str | None) -> None:
    with st.container(horizontal=True):
        if BEFORE in st.query_params and pressed(t("Newest"), icon=":material/first_page:"):
            del st.query_params[BEFORE]
            st.rerun()
        if next_cursor and pressed(t("Older"), icon=":material/chevron_right:"):
            st.query_params[BEFORE] = next_cursor
            st.rerun()


if __name__ == "__main__":
    show()
