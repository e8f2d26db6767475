"""Export this mix: a file of what the player plays, made on the server."""

from typing import get_args

import streamlit as st

from stemcrate.client import ApiError, ClientError
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.options import DeliveryFormat
from stemcrate.schemas.renders import MixRequest, Render
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.language import t
from ui.mix import PlayedMix, Stretch, describe, request_of, why_not
from ui.parts.messages import errors_shown, show_error, show_failure
from ui.text import escape_markdown, length, sentence_markdown, size

LOOK_EVERY_S = 0.5
_FORMATS: tuple[DeliveryFormat, ...] = get_args(DeliveryFormat)


def show_export(client: Workbench, job_id: str, index: int, mix: PlayedMix) -> None:
    """Offer a file of the mix, follow the render, and lead to the file."""
    key = f"export-{job_id}-{index}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        stretch = _ask_stretch(mix, key)
        file_format = st.selectbox(
            t("Format"), _FORMATS, format_func=str.upper, key=f"{key}-format", width=120
        )
        reason = why_not(mix)
        is_asked = pressed(
            t("Export"), type="primary", icon=":material/save:", disabled=bool(reason)
        )
    if reason:
        st.caption(reason)
    else:
        request = request_of(
            mix, job_id=job_id, index=index, stretch=stretch, file_format=file_format
        )
        if is_asked:
            with errors_shown():
                st.session_state[key] = client.create_render(request).id
        st.caption(escape_markdown(describe(request)))
    if key in st.session_state:
        _show_render(client, key)


def _ask_stretch(mix: PlayedMix, key: str) -> Stretch:
    """Ask for the part of the track; the loop is offered, and preferred, where there is one."""
    if mix.loop is None:
        return "whole"
    names = {
        "loop": f"{t('Loop')} {length(mix.loop.start_s)} – {length(mix.loop.end_s)}",
        "whole": t("Whole track"),
    }
    chosen: Stretch = st.segmented_control(
        t("Range"),
        list(names),
        default="loop" if mix.loop.is_on else "whole",
        required=True,
        format_func=names.__getitem__,
        key=f"{key}-range",
    )
    return chosen


def _show_render(client: Workbench, key: str) -> None:
    """Show the render that was asked for last."""
    try:
        render = client.get_render(st.session_state[key])
    except ApiError as error:
        if error.code == "render_not_found":
            del st.session_state[key]
            return
        show_error(error)
    except ClientError as error:
        show_error(error)
    else:
        if render.state.is_final:
            _show_end(client, render)
        else:
            _follow(key)


@st.fragment(run_every=LOOK_EVERY_S)
def _follow(key: str) -> None:
    """Show the progress until the render ends; then the page shows its end."""
    client = connect()
    with errors_shown():
        render = client.get_render(st.session_state[key])
        if render.state.is_final:
            st.rerun()
        words = t("Waiting for a worker") if render.state == JobState.QUEUED else t("Mixing")
        st.progress(render.fraction, f"{words} · {100 * render.fraction:.0f} %")
        if pressed(t("Cancel"), key=f"{key}-cancel"):
            client.delete_render(render.id)
            del st.session_state[key]
            st.rerun()


def _show_end(client: Workbench, render: Render) -> None:
    if render.error is not None:
        show_failure(render.error)
        return
    if render.file is None or not isinstance(render.request, MixRequest):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.link_button(
            f"{t('Download')} {render.file.name} ({size(render.file.bytes)})",
            client.link(render.links.file),
            icon=":material/download:",
        )
        st.caption(escape_markdown(describe(render.request)))
    for warning in render.warnings:
        st.caption(sentence_markdown(warning.message))
