"""Sets: plan them, put them in order, hear their transitions, take them away."""

from typing import Any

import streamlit as st

from stemcrate.client import ApiError, ClientError
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.kept import kept
from ui.language import t
from ui.parts.markup import show_heading
from ui.parts.messages import show_error
from ui.parts.sets import show_list, show_planner, show_set
from ui.places import NEW, NEW_SET, SET


def show() -> None:
    """Show the set in the URL, the planner, or the list of sets."""
    client = connect()
    set_id = st.query_params.get(SET)
    try:
        if set_id:
            wanted = _show_set(client, set_id)
        elif again := st.query_params.get(NEW_SET):
            wanted = _show_planner(client, again)
        else:
            wanted = _show_list(client)
    except ClientError as error:
        show_heading(t("Sets"))
        show_error(error)
        is_gone = isinstance(error, ApiError) and error.code == "playlist_not_found"
        if is_gone and pressed(t("All sets"), icon=":material/arrow_back:"):
            _go({})
        return
    if wanted is not None:
        _go(wanted)


def _show_list(client: Workbench) -> dict[str, Any] | None:
    page = client.list_playlists()
    show_heading(t("Sets"))
    return show_list(page)


def _show_planner(client: Workbench, again: str) -> dict[str, Any] | None:
    """Show the planner; ``again`` names the set whose wishes it starts from, or is `NEW`."""
    if again != NEW:
        view = client.get_playlist(again)
        show_heading(t("New set"))
        return show_planner(view.order, view)
    client.get_health()
    show_heading(t("New set"))
    return show_planner(kept().set_tracks)


def _show_set(client: Workbench, set_id: str) -> dict[str, Any] | None:
    view = client.get_playlist(set_id)
    config = kept().config or client.get_config()
    kept().config = config
    st.set_page_config(page_title=f"{view.name} · Stemcrate")
    show_heading(view.name)
    return show_set(view, config)


def _go(wanted: dict[str, Any]) -> None:
    """Put what is wanted into the URL, so that a reload and the way back return to it."""
    kept().set_tracks = None
    st.query_params.from_dict(wanted)
    st.rerun()


if __name__ == "__main__":
    show()
