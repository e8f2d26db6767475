"""What an ended job made. It never changes, so each is read once for all visitors and reruns."""

from datetime import datetime

import streamlit as st

from stemcrate.schemas.jobs import Job, Outputs
from stemcrate.schemas.manifest import ProcessingManifest
from ui.connection import Workbench
from ui.settings import api_address

MAX_JOBS = 32


def outputs_of(client: Workbench, job: Job) -> Outputs:
    """Return the files of a job that has ended. Raises `ClientError`."""
    found: Outputs = _read_outputs(client, api_address().api_url, job.job_id, job.finished_at)
    return found


def manifest_of(client: Workbench, job: Job) -> ProcessingManifest:
    """Return the manifest of a job that has ended. Raises `ClientError`."""
    found: ProcessingManifest = _read_manifest(
        client, api_address().api_url, job.job_id, job.finished_at
    )
    return found


@st.cache_data(max_entries=MAX_JOBS, show_spinner=False)
def _read_outputs(
    _client: Workbench, api_url: str, job_id: str, finished_at: datetime | None
) -> Outputs:
    return _client.list_outputs(job_id)


@st.cache_data(max_entries=MAX_JOBS, show_spinner=False)
def _read_manifest(
    _client: Workbench, api_url: str, job_id: str, finished_at: datetime | None
) -> ProcessingManifest:
    return _client.get_manifest(job_id)
