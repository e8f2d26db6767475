"""Links and lists of tracks: asked for, fetched by a worker, followed to the end."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from stemcrate.client import ApiError
from stemcrate.schemas.ingests import Ingest
from stemcrate.schemas.manifest import JobState
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.language import counted, t
from ui.parts.messages import errors_shown, show_error, show_failure
from ui.places import SEPARATE, go
from ui.text import escape_markdown, sentence_markdown

LOOK_EVERY_S = 1.0
N_SHOWN = 3
"""Ingests that are shown, newest first."""
N_LINES = 20
"""Failed tracks that are shown of one."""


def offer_ingest(client: Workbench, job: Callable[[], Mapping[str, Any]] | None) -> None:
    """Ask for links and lists, and show how far the last have come. Raises `ClientError`.

    ``job`` returns the options of a job for the tracks; None adds them to the library.
    """
    kind = "library" if job is None else "job"
    text = st.text_area(
        t("Links or a list"),
        key=f"ingest-{kind}",
        height=110,
        placeholder=t("https://… or artist - title, one in each line; M3U8, CSV, XML or JSON"),
    )
    st.caption(t("Only fetch what you have the right to copy."))
    label = t("Fetch and add") if job is None else t("Fetch and process")
    if pressed(label, type="primary", disabled=not text.strip(), key=f"ingest-start-{kind}"):
        try:
            client.create_ingest(list_text=text, job=None if job is None else job())
        except ApiError as error:
            show_error(error)
    if client.list_ingests().ingests:
        _show_ingests()


@st.fragment(run_every=LOOK_EVERY_S)
def _show_ingests() -> None:
    """Show how far the last ingests have come."""
    client = connect()
    with errors_shown():
        for record in client.list_ingests().ingests[:N_SHOWN]:
            _show(client, record)


def _show(client: Workbench, record: Ingest) -> None:
    name = escape_markdown(record.name[:80])
    if record.state == JobState.QUEUED:
        st.progress(0.0, t("{name}: waiting for a worker", name=name))
    elif record.state == JobState.RUNNING:
        n, done = record.n_tracks, record.n_done
        words = t("{name}: {done} of {n} tracks", name=name, done=done, n=n)
        st.progress(min(1.0, done / n) if n else 0.0, words)
    else:
        _show_end(record, name)
        return
    if pressed(t("Cancel"), key=f"cancel-{record.id}"):
        client.cancel_ingest(record.id)


def _show_end(record: Ingest, name: str) -> None:
    words = t(
        "{name}: {added} fetched, {known} known, {failed} not",
        name=name,
        added=record.n_added,
        known=record.n_known,
        failed=record.n_failed,
    )
    if record.error is not None:
        show_failure(record.error)
    elif record.state == JobState.CANCELLED:
        st.info(f"{words}. {t('Cancelled: fetch it again, and it goes on.')}")
    elif record.n_failed:
        st.warning(words)
    else:
        st.success(words)
    has_job = record.is_job and record.state == JobState.COMPLETED
    if has_job and pressed(t("Open the job"), key=f"open-{record.id}"):
        go(SEPARATE, record.id)
    if record.failed:
        n = record.n_failed
        with st.expander(counted(n, "{n} track was not fetched", "{n} tracks were not fetched")):
            for track in record.failed[:N_LINES]:
                error = track.error
                said = f"{error.message} {error.hint}".strip() if error is not None else ""
                st.markdown(f"**{escape_markdown(track.label[:80])}**  \n{sentence_markdown(said)}")
