"""The pages and the navigation between them. A page's URL holds the job and track it shows."""

from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import urlencode

import streamlit as st

from ui.language import mark

JOB = "job"
TRACK_INDEX = "track"
TRACK_ID = "id"
SET = "set"
NEW_SET = "new"
NEW = "1"
"""Value of `NEW_SET`, unless it names the set whose wishes the planner starts from."""


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


SEPARATE = Place("views/separate.py", mark("Separate"), ":material/graphic_eq:")
RESULTS = Place("views/results.py", mark("Results"), ":material/queue_music:")
TRACK = Place("views/track.py", mark("Track"), ":material/instant_mix:")
LIBRARY = Place("views/library.py", mark("Library"), ":material/library_music:")
SETS = Place("views/sets.py", mark("Sets"), ":material/playlist_play:")
LIVE = Place("views/live.py", mark("Live"), ":material/album:")
HISTORY = Place("views/history.py", mark("History"), ":material/history:")
SYSTEM = Place("views/system.py", mark("System"), ":material/monitor_heart:")
PLACES = (SEPARATE, RESULTS, TRACK, LIBRARY, SETS, LIVE, HISTORY, SYSTEM)
"""All pages, in the order of the navigation; the first is where a visitor arrives."""


def job_in_address() -> str | None:
    """Return the job named in the URL, and remember it."""
    job_id = st.query_params.get(JOB)
    if job_id:
        st.session_state[JOB] = job_id
    return str(job_id) if job_id else None


def track_in_address() -> int:
    """Return the index of the track named in the URL, else this session's last one, else 0."""
    text = st.query_params.get(TRACK_INDEX, "")
    if text.isdecimal():
        return int(text)
    return int(st.session_state.get(TRACK_INDEX, 0)) if JOB not in st.query_params else 0


def library_track_in_address() -> str | None:
    """Return the track of the library that the page shows: the URL's, else this session's last.

    None if that is a job's track.
    """
    if JOB in st.query_params:
        return None
    found = st.query_params.get(TRACK_ID) or st.session_state.get(TRACK_ID)
    if found:
        st.session_state[TRACK_ID] = found
        st.query_params[TRACK_ID] = found
    return str(found) if found else None


def library_track_link(track_id: str) -> str:
    """Return the path of the page of a track of the library."""
    return f"{TRACK.address}?{urlencode({TRACK_ID: track_id})}"


def track_link(job_id: str, index: int) -> str:
    """Return the path of a track's page; the dock follows it without ending the sound."""
    return f"{TRACK.address}?{urlencode({JOB: job_id, TRACK_INDEX: index})}"


def results_link(job_id: str) -> str:
    """Return the path of a job's results."""
    return f"{RESULTS.address}?{urlencode({JOB: job_id})}"


def last_job() -> str | None:
    """Return this session's last job: navigation links lose the URL's parameters."""
    job_id = st.session_state.get(JOB)
    return str(job_id) if job_id else None


def put_into_address(job_id: str, index: int | None = None) -> None:
    """Put a job, and a track of it, into the URL, so that a reload returns to it."""
    st.session_state[JOB] = job_id
    st.session_state.pop(TRACK_ID, None)
    st.query_params[JOB] = job_id
    if index is not None:
        st.session_state[TRACK_INDEX] = index
        st.query_params[TRACK_INDEX] = str(index)


def forget_job() -> None:
    """Remove the job from the URL and the session."""
    for name in (JOB, TRACK_INDEX):
        st.session_state.pop(name, None)
    st.query_params.clear()


def go(place: Place, job_id: str | None = None, index: int | None = None) -> None:
    """Go to a page, optionally with a job and a track of it."""
    query = {} if job_id is None else {JOB: job_id}
    if job_id is not None:
        st.session_state[JOB] = job_id
        st.session_state.pop(TRACK_ID, None)
    if index is not None:
        query[TRACK_INDEX] = str(index)
    st.switch_page(place.script, query_params=query)


def open_library_track(track_id: str) -> None:
    """Go to the page of a track of the library."""
    st.switch_page(TRACK.script, query_params={TRACK_ID: track_id})


def open_set(set_id: str) -> None:
    """Go to a set."""
    st.switch_page(SETS.script, query_params={SET: set_id})


def plan_set() -> None:
    """Go to the planner of sets."""
    st.switch_page(SETS.script, query_params={NEW_SET: NEW})
