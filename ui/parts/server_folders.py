"""Folders on the server: chosen level by level, added by a worker, followed to the end."""

import streamlit as st

from stemcrate.client import ApiError
from stemcrate.schemas.imports import FolderImport, ServerFolders
from stemcrate.schemas.manifest import JobState
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.language import counted, t
from ui.parts.messages import errors_shown, show_failure, show_refused
from ui.text import escape_markdown

LOOK_EVERY_S = 1.0
N_SHOWN = 3
"""Imports that are shown, newest first."""
_FOLDER = "server-folder"


def offer_folder(client: Workbench) -> None:
    """Offer the folders that may be added, and show the imports. Raises `ClientError`."""
    here = _read(client)
    # Places that are always there: what stands below one that comes and goes is never drawn twice.
    heading, choice, offer = st.container(), st.container(), st.container()
    if here.path is not None:
        heading.markdown(f"**{escape_markdown(here.path.replace('/', ' / '))}**")
    names = {folder.path: folder.name for folder in here.folders}
    if names:
        chosen = choice.selectbox(
            t("Folder"),
            list(names),
            format_func=names.__getitem__,
            index=None,
            placeholder=t("Choose a folder"),
            key=f"folder-in-{here.path}",
        )
        if chosen:
            _enter(chosen)
    if here.path is not None:
        with offer:
            _offer_import(client, here, here.path)
    if client.list_imports().imports:
        _show_imports()


def _read(client: Workbench) -> ServerFolders:
    try:
        return client.list_folders(st.session_state.get(_FOLDER))
    except ApiError as error:
        if error.code != "folder_not_found":
            raise
        st.session_state.pop(_FOLDER)  # it was moved, or is no longer allowed
        return client.list_folders()


def _enter(path: str | None) -> None:
    st.session_state[_FOLDER] = path
    st.rerun(scope="fragment")


def _offer_import(client: Workbench, here: ServerFolders, path: str) -> None:
    n = here.n_files
    st.caption(
        counted(
            n,
            "{n} audio file here, and all in the folders below. They stay where they are.",
            "{n} audio files here, and all in the folders below. They stay where they are.",
        )
    )
    with st.container(horizontal=True, gap="small"):
        if pressed(t("Add this folder"), type="primary", key="add-folder"):
            client.create_import(path)
        if pressed(t("Folder above"), icon=":material/arrow_upward:", key="folder-above"):
            _enter(path.rpartition("/")[0] or None)


@st.fragment(run_every=LOOK_EVERY_S)
def _show_imports() -> None:
    """Show how far the last imports have come."""
    client = connect()
    with errors_shown():
        for record in client.list_imports().imports[:N_SHOWN]:
            _show_import(client, record)


def _show_import(client: Workbench, record: FolderImport) -> None:
    name = record.path.rpartition("/")[2]
    if record.state == JobState.QUEUED:
        st.progress(0.0, t("{name}: waiting for a worker", name=escape_markdown(name)))
    elif record.state == JobState.RUNNING:
        n, done = record.n_files or 0, record.n_done
        words = t("{name}: {done} of {n} files", name=escape_markdown(name), done=done, n=n)
        st.progress(done / n if n else 0.0, words)
    else:
        _show_end(record, name)
        return
    if pressed(t("Cancel"), key=f"cancel-{record.id}"):
        client.cancel_import(record.id)


def _show_end(record: FolderImport, name: str) -> None:
    words = t(
        "{name}: {added} added, {known} known, {refused} refused",
        name=escape_markdown(name),
        added=record.n_added,
        known=record.n_known,
        refused=record.n_refused,
    )
    if record.state == JobState.CANCELLED:
        st.info(f"{words}. {t('Cancelled: add the folder again, and it goes on.')}")
    elif record.error is not None:
        show_failure(record.error)
    else:
        st.success(words)
    if record.refused:
        with st.expander(t("Files that were not added")):
            show_refused(record.refused)
