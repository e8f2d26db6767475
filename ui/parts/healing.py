"""Pages that go on by themselves when the API is back."""

import streamlit as st

from stemcrate.client import ApiError, ApiUnreachable, ClientError
from ui.connection import connect
from ui.language import t

LOOK_EVERY_S = 2.0


def is_away(error: ClientError) -> bool:
    """Return whether an error says that the API does not answer, and may again."""
    return isinstance(error, ApiUnreachable) or (
        isinstance(error, ApiError) and error.code in ("api_unreachable", "bad_gateway")
    )


def show_away() -> None:
    """Say that the API does not answer; run the page again when it does."""
    st.warning(
        t("Stemcrate's server does not answer. This page goes on by itself when it is back."),
        icon=":material/cloud_off:",
    )
    _wait()


@st.fragment(run_every=LOOK_EVERY_S)
def _wait() -> None:
    try:
        connect().get_health()
    except ApiError as error:
        if is_away(error):
            return
    except ClientError:
        return
    st.rerun()
