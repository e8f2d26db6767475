"""Adding tracks to the library: by upload, from a job, by links, or from the server's folders."""

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.jobs import JobQuery, JobSummary
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.kept import kept
from ui.language import counted, t
from ui.parts.drop_zone import ask_files
from ui.parts.ingest import offer_ingest
from ui.parts.messages import show_error, show_refused
from ui.parts.server_folders import offer_folder
from ui.places import SEPARATE, go
from ui.text import moment

N_JOBS = 50


def offer_adding() -> None:
    """Ask which tracks are added, and how."""
    kept().n_additions += 1
    st.dialog(t("Add tracks"), width="large", on_dismiss="rerun")(_ask_tracks)()


def _ask_tracks() -> None:
    client = connect()
    try:
        allowed = client.list_folders().folders
        links = [t("Links and lists")] if client.get_config().fetches_links else []
        folders = [t("Folder on the server")] if allowed else []
        upload, job, *others = st.tabs([t("Upload"), t("From a job"), *links, *folders])
        with upload:
            _offer_upload(client)
        with job:
            _offer_job(client)
        for tab in others[: len(links)]:
            with tab:
                offer_ingest(client, None)
        for tab in others[len(links) :]:
            with tab:
                offer_folder(client)
    except ClientError as error:
        show_error(error)
        return
    if not allowed:
        st.caption(
            t("Folders on the server are added without copying by `stemcrate library add FOLDER`.")
        )


def _offer_upload(client: Workbench) -> None:
    uploads = ask_files(client.get_config().limits)
    has_arrived = bool(uploads) and all(upload.is_done for upload in uploads)
    if not pressed(t("Analyse and add"), type="primary", disabled=not has_arrived):
        return
    ids = [upload.id for upload in uploads if upload.id]
    adding = client.add_tracks(upload_ids=ids)
    kept().taken += ids
    kept().uploads = []
    if adding.known:
        n = len(adding.known)
        st.info(counted(n, "{n} track is in the library already.", "{n} tracks are there already."))
    show_refused(adding.refused)
    if adding.job is not None:
        go(SEPARATE, adding.job.job_id)


def _offer_job(client: Workbench) -> None:
    st.caption(t("Tracks of finished jobs come in by themselves. Those you deleted do not."))
    jobs = [job for job in client.list_jobs(JobQuery(limit=N_JOBS)).jobs if job.state.is_final]
    job = st.selectbox(
        t("Job"),
        jobs,
        format_func=_describe_job,
        index=None,
        placeholder=t("Choose a job"),
    )
    if job is None or not pressed(t("Add its tracks"), type="primary"):
        return
    added = client.add_job_tracks(job.job_id)
    n = len(added.added)
    st.success(counted(n, "{n} track is added.", "{n} tracks are added."))
    show_refused(added.refused)


def _describe_job(job: JobSummary) -> str:
    return f"{moment(job.created_at, st.context.timezone)} · {', '.join(job.names)}"
