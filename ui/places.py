"""The pages, and the way from one to another. A page's address holds the job it shows."""

import streamlit as st

PROCESS = "views/process.py"
RESULTS = "views/results.py"
HISTORY = "views/history.py"
JOB = "job"


def job_in_address() -> str | None:
    """Give the job that the address names, and remember it."""
    job_id = st.query_params.get(JOB)
    if job_id:
        st.session_state[JOB] = job_id
    return str(job_id) if job_id else None


def last_job() -> str | None:
    """Give the job that this session saw last: links of the navigation lose the address's."""
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


def go(page: str, job_id: str) -> None:
    """Go to a page, with a job."""
    st.session_state[JOB] = job_id
    st.switch_page(page, query_params={JOB: job_id})
