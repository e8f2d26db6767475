"""The pages and the navigation between them. A page's URL holds the job it shows."""

from dataclasses import dataclass
from pathlib import PurePath

import streamlit as st

JOB = "job"


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its script below this folder, and its entry in the navigation."""

    script: str
    title: str
    icon: str

    @property
    def address(self) -> str:
        """The page's path below the workbench's URL."""
        return "/" if self is PLACES[0] else f"/{PurePath(self.script).stem}"


PROCESS = Place("views/process.py", "Process", ":material/graphic_eq:")
RESULTS = Place("views/results.py", "Results", ":material/queue_music:")
HISTORY = Place("views/history.py", "History", ":material/history:")
PLACES = (PROCESS, RESULTS, HISTORY)
"""All pages, in the order of the navigation; the first is where a visitor arrives."""


def job_in_address() -> str | None:
    """Return the job named in the URL, and remember it."""
    job_id = st.query_params.get(JOB)
    if job_id:
        st.session_state[JOB] = job_id
    return str(job_id) if job_id else None


def last_job() -> str | None:
    """Return this session's last job: navigation links lose the URL's parameters."""
    job_id = st.session_state.get(JOB)
    return str(job_id) if job_id else None


def put_into_address(job_id: str) -> None:
    """Put a job into the URL, so that a reload returns to it."""
    st.session_state[JOB] = job_id
    st.query_params[JOB] = job_id


def forget_job() -> None:
    """Remove the job from the URL and the session."""
    st.session_state.pop(JOB, None)
    st.query_params.clear()


def go(place: Place, job_id: str | None = None) -> None:
    """Go to a page, optionally with a job."""
    if job_id is not None:
        st.session_state[JOB] = job_id
    st.switch_page(place.script, query_params={} if job_id is None else {JOB: job_id})
