"""The pages, and the way from one to another. A page's address holds the job it shows."""

from dataclasses import dataclass
from pathlib import PurePath

import streamlit as st

JOB = "job"


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its script below this folder, and how the navigation shows it."""

    script: str
    title: str
    icon: str

    @property
    def address(self) -> str:
        """Where the browser finds the page, below the address of the workbench."""
        return "/" if self is PLACES[0] else f"/{PurePath(self.script).stem}"


PROCESS = Place("views/process.py", "Process", ":material/graphic_eq:")
RESULTS = Place("views/results.py", "Results", ":material/queue_music:")
HISTORY = Place("views/history.py", "History", ":material/history:")
PLACES = (PROCESS, RESULTS, HISTORY)
"""All pages, in the order of the navigation; the first is where a visitor arrives."""


def job_in_address() -> str | None:
    """Return the job that the address names, and remember it."""
    job_id = st.query_params.get(JOB)
    if job_id:
        st.session_state[JOB] = job_id
    return str(job_id) if job_id else None


def last_job() -> str | None:
    """Return the job that this session saw last: links of the navigation lose the address's."""
    job_id = st.session_state.get(JOB)
    return str(job_id) if job_id else None


def put_into_address(job_id: str) -> None:
    """Name a job in the address, so that a reload comes back to it."""
    st.session_state[JOB] = job_id
    st.query_params[JOB] = job_id


def forget_job() -> None:
    """Take the job out of the address and the session."""
    st.session_state.pop(JOB, None)
    st.query_params.clear()


def go(place: Place, job_id: str | None = None) -> None:
    """Go to a page, with a job where one is given."""
    if job_id is not None:
        st.session_state[JOB] = job_id
    st.switch_page(place.script, query_params={} if job_id is None else {JOB: job_id})
