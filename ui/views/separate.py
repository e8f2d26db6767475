"""Separate: the form for a new job on one screen, then its live progress."""

import streamlit as st

from stemcrate.client import ApiError, ClientError
from stemcrate.schemas.configuration import Configuration
from stemcrate.schemas.options import NO_MODEL
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.kept import Refusal, Upload, kept
from ui.language import counted, t
from ui.parts.drop_zone import ask_files
from ui.parts.healing import is_away
from ui.parts.ingest import offer_ingest
from ui.parts.job_progress import show_job
from ui.parts.markup import show_heading
from ui.parts.messages import errors_shown, show_error
from ui.parts.model_choice import show_models
from ui.parts.options_form import ask_more, ask_quality, ask_wish, to_fields
from ui.parts.weights import offer_four_stems, show_fetches
from ui.places import SEPARATE, go, job_in_address, last_job, put_into_address
from ui.text import escape_markdown, length, sentence_markdown
from ui.wishes import AUTO

MAX_NAMES = 3


def show() -> None:
    """Show the job in the URL, or the form for a new one."""
    client = connect()
    state = kept()
    job_id = job_in_address()
    if job_id is None and state.started is not None:
        job_id = state.started
        put_into_address(job_id)
    if job_id:
        state.started = None
        show_job(client, job_id)
        return
    show_heading(t("Separate"))
    # In a place of its own: what comes and goes above the form would draw the form anew.
    with st.container():
        config = _read_config(client)
    if config is not None:
        _show_form(client, config)


def _read_config(client: Workbench) -> Configuration | None:
    """Read what the installation offers; while the API is away, return what it offered last."""
    try:
        kept().config = client.get_config()
    except ClientError as error:
        show_error(error)
    return kept().config


def _show_form(client: Workbench, config: Configuration) -> None:
    left, right = st.columns([7, 5], gap="large")
    with left:
        with st.container():
            _show_again()
        uploads = ask_files(config.limits)
        if config.fetches_links:
            with st.expander(t("Links and lists"), icon=":material/link:"), errors_shown():
                offer_ingest(client, to_fields)
    with right:
        ask_wish(config)
        ask_quality()
        _offer_start(client, config, uploads)
        offer_four_stems(client, config)
    ask_more(config)
    with st.expander(t("Models"), icon=":material/memory:"):
        show_models(config)
        show_fetches(client, config)
    _offer_running_job(client)


def _show_again() -> None:
    again = kept().again
    if again is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        names = ", ".join(again.names[:MAX_NAMES])
        n_more = len(again.names) - MAX_NAMES
        more = t(" and {n} more", n=n_more) if n_more > 0 else ""
        words = t("Once more: **{names}**") if again.job_id else t("From the library: **{names}**")
        st.markdown(words.format(names=escape_markdown(names + more)))
        if pressed(t("Not these"), icon=":material/close:"):
            kept().again = None
            st.rerun()


def _offer_start(client: Workbench, config: Configuration, uploads: list[Upload]) -> None:
    state = kept()
    n = len(uploads) + (len(state.again.names) if state.again else 0)
    label = _start_label(n, is_analysis=state.options["model"] == NO_MODEL)
    place = st.container()
    # Without a key, a button whose label changes is another button: a click on the old one is lost.
    if pressed(
        label,
        type="primary",
        icon=":material/play_arrow:",
        disabled=not n,
        width="stretch",
        key="start",
    ):
        state.is_start_wanted = True
    has_arrived = all(upload.is_done for upload in uploads)
    if not n:
        state.is_start_wanted = False
    elif state.is_start_wanted and has_arrived:
        state.is_start_wanted = False
        _start(client, uploads, estimate_s(config, uploads))
    with place:
        _show_refusal()
    if state.is_start_wanted:
        st.caption(t("Starts as soon as the files have arrived."))
    elif (seconds := estimate_s(config, uploads)) is not None:
        st.caption(t("Takes about {time} on this machine.", time=length(max(1.0, seconds))))


def _start_label(n: int, *, is_analysis: bool) -> str:
    if is_analysis:
        return counted(n, "Analyse {n} track", "Analyse {n} tracks") if n else t("Analyse")
    return counted(n, "Separate {n} track", "Separate {n} tracks") if n else t("Separate")


def _start(client: Workbench, uploads: list[Upload], seconds: float | None) -> None:
    state = kept()
    ids = [upload.id for upload in uploads if upload.id]
    state.refusal = None
    try:
        job_id = client.submit_job(
            options=to_fields(),
            upload_ids=ids,
            from_job=state.again.job_id if state.again else None,
            track_ids=state.again.track_ids if state.again else (),
        ).job_id
    except ClientError as error:
        _keep_refusal(error)
        st.rerun()
    state.taken += ids
    state.uploads = []
    state.again = None
    if seconds is not None:
        state.estimates_s[job_id] = seconds
    state.started = job_id
    st.rerun()


def _keep_refusal(error: ClientError) -> None:
    state = kept()
    if is_away(error):
        state.refusal = Refusal(t("The server does not answer. Your files and options are kept."))
    elif isinstance(error, ApiError) and error.files:
        state.file_refusals = {
            item.file or "": f"{item.detail} {item.hint}".strip() for item in error.files
        }
        state.refused_at += 1
        n = len(error.files)
        state.refusal = Refusal(
            counted(n, "{n} file cannot be used.", "{n} files cannot be used."),
            t("The reason stands beside it. Start again for the others."),
        )
    else:
        field = error.field if isinstance(error, ApiError) else None
        state.refusal = Refusal(error.message, error.hint, field)


def _show_refusal() -> None:
    """Show a refusal above the start button; beside its option it stands too."""
    refusal = kept().refusal
    if refusal is not None:
        st.error(sentence_markdown(f"{refusal.message} {refusal.hint}".strip()))


def estimate_s(config: Configuration, uploads: list[Upload]) -> float | None:
    """Return how long a job will take, from the last ones; None if that is not known."""
    options = kept().options
    name = config.model.resolved if options["model"] == AUTO else options["model"]
    model = next((m for m in config.models if m.name == name), None)
    factor = model.realtime_factors.get(options["preset"]) if model else None
    lengths = [upload.seconds for upload in uploads]
    if factor is None or not lengths or None in lengths:
        return None
    return sum(seconds for seconds in lengths if seconds is not None) / factor


def _offer_running_job(client: Workbench) -> None:
    """Offer this session's running job; a deleted one is ignored."""
    job_id = last_job()
    if job_id is None:
        return
    try:
        is_live = not client.get_job(job_id).state.is_final
    except ClientError:
        return
    if is_live and pressed(t("Your last job is still running: follow it"), icon=":material/sync:"):
        go(SEPARATE, job_id)


if __name__ == "__main__":
    show()
