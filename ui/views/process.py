"""Process: the form for a new job, then its live progress."""

from collections.abc import Sequence
from typing import BinaryIO, cast

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from stemcrate.client import ClientError, NamedFile
from stemcrate.schemas.configuration import RequestLimits
from ui.connection import Workbench, connect
from ui.parts.job_progress import show_job
from ui.parts.markup import show_heading
from ui.parts.messages import errors_shown, show_error
from ui.parts.options_form import ask_options
from ui.places import PROCESS, go, job_in_address, last_job, put_into_address
from ui.text import size

BYTES_PER_MIB = 1 << 20


def show() -> None:
    """Show the job in the URL, or the form for a new one."""
    client = connect()
    job_id = job_in_address()
    if job_id:
        show_job(client, job_id)
        return
    show_heading(
        "Separate tracks",
        "Stems that sum to the song, the facts a DJ needs, and a set that mixes.",
    )
    with errors_shown():
        config = client.get_config()
        _offer_running_job(client)
        files = _ask_files(config.limits)
        options = ask_options(config)
        _offer_start(client, files, options)


def _ask_files(limits: RequestLimits) -> list[UploadedFile]:
    uploads: list[UploadedFile] = st.file_uploader(
        "Audio files",
        accept_multiple_files=True,
        max_upload_size=-(-limits.max_upload_bytes // BYTES_PER_MIB),
        help=f"Up to {limits.max_files_per_job} recordings of at most "
        f"{size(limits.max_upload_bytes)} and {limits.max_duration_s / 60:.0f} minutes each. "
        "Files are recognised by content, not by name.",
    )
    return uploads


def _offer_start(client: Workbench, files: Sequence[UploadedFile], options: dict[str, str]) -> None:
    noun = "track" if len(files) == 1 else "tracks"
    label = f"Separate {len(files)} {noun}" if files else "Separate"
    if not st.button(label, type="primary", icon=":material/play_arrow:", disabled=not files):
        return
    try:
        with st.spinner("Handing the files to the API"):
            named = [NamedFile(file.name, cast(BinaryIO, file)) for file in files]
            job_id = client.submit_job(named, options).job_id
    except ClientError as error:
        show_error(error)
        return
    _release(files)
    put_into_address(job_id)
    st.rerun()


def _release(files: Sequence[UploadedFile]) -> None:
    """Release the memory of files that the API has received.

    Streamlit keeps them for the session's lifetime and some minutes more.
    """
    context = get_script_run_ctx()
    assert context is not None
    for file in files:
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def _offer_running_job(client: Workbench) -> None:
    """Offer this session's running job; a deleted one is ignored."""
    job_id = last_job()
    if job_id is None:
        return
    try:
        is_live = not client.get_job(job_id).state.is_final
    except ClientError:
        return
    if is_live and st.button("Your last job is still running: follow it", icon=":material/sync:"):
        go(PROCESS, job_id)


if __name__ == "__main__":
    show()
