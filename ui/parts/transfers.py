"""Transfer of a job's files to a target of the installation, and how far it has come."""

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.jobs import Job
from stemcrate.schemas.transfers import Transfer, TransferRequest
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.language import t
from ui.parts.messages import errors_shown
from ui.text import escape_markdown

LOOK_EVERY_S = 2.0


def offer_transfer(client: Workbench, job: Job) -> None:
    """Offer to put all files of a job somewhere else; nothing where there is no target."""
    try:
        found = client.list_transfers()
    except ClientError:
        return
    if not found.targets:
        return
    with st.popover(t("Send to"), icon=":material/drive_folder_upload:"):
        target = st.selectbox(t("Target"), found.targets)
        st.caption(t("Each file is compared there; what is there already is not sent again."))
        if pressed(t("Send all files"), type="primary"):
            with errors_shown():
                client.create_transfer(job.job_id, TransferRequest(target=str(target)))
        _show_transfers(job.job_id)


@st.fragment(run_every=LOOK_EVERY_S)
def _show_transfers(job_id: str) -> None:
    try:
        transfers = connect().list_transfers().transfers
    except ClientError:
        return
    for transfer in transfers:
        if transfer.job_id == job_id:
            st.markdown(_describe(transfer))


def _describe(transfer: Transfer) -> str:
    target = f"**{escape_markdown(transfer.target)}**"
    if transfer.error is not None:
        return f"{target}: {escape_markdown(transfer.error.message)}"
    if transfer.index_url is not None:
        return t("{target}: {n} files are there.", target=target, n=transfer.n_done)
    if transfer.state.is_final:
        return t("{target}: cancelled.", target=target)
    n_all = transfer.n_files or "…"
    return t("{target}: {n} of {all} files", target=target, n=transfer.n_done, all=n_all)
