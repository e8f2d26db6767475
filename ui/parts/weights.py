"""Weights of models: fetched by a click, with progress, cancel, and what to do when it fails.

A model is shown in one place: the four-stem model beside the start button until it is there, all
others below the table of models.
"""

import streamlit as st

from stemcrate.client import ApiError
from stemcrate.schemas.configuration import Configuration, ModelInfo
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.options import NO_MODEL
from stemcrate.schemas.weights import WeightsFetch
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.kept import kept
from ui.language import t
from ui.parts.messages import errors_shown, show_failure
from ui.text import escape_markdown, size

FOUR_STEM_MODEL = "htdemucs"
N_STEMS = 4
LOOK_EVERY_S = 1.0


def offer_four_stems(client: Workbench, config: Configuration) -> None:
    """Offer the four-stem model to who has none that gives as many stems."""
    model = _offered(config)
    if model is None:
        return
    with st.container(border=True):
        if model.fetch is None:
            st.markdown(t("**Drums, bass, vocals and other** need a model that is not here yet."))
            st.caption(_licence(model))
        _show(client, model, t("Get the four-stem model"))


def show_fetches(client: Workbench, config: Configuration) -> None:
    """Show a button for each model whose weights can be fetched, and the downloads."""
    shown_elsewhere = _offered(config)
    models = [m for m in config.models if m != shown_elsewhere and _concerns_weights(m)]
    with st.container(horizontal=True, gap="small"):
        for model in models:
            if model.fetch is None:
                _offer(client, model, t("Fetch {name}", name=escape_markdown(model.name)))
    for model in models:
        if model.fetch is not None:
            _show(client, model, t("Fetch {name}", name=escape_markdown(model.name)))


def is_fetched(model: ModelInfo) -> bool:
    """Return whether the weights of a model are waited for."""
    return model.fetch is not None and not model.fetch.state.is_final


def _offered(config: Configuration) -> ModelInfo | None:
    """Return the four-stem model if it is offered beside the start button."""
    if kept().options["model"] == NO_MODEL:
        return None
    if any(model.available and len(model.stems) >= N_STEMS for model in config.models):
        return None
    found = (model for model in config.models if model.name == FOUR_STEM_MODEL)
    return next((model for model in found if _concerns_weights(model)), None)


def _concerns_weights(model: ModelInfo) -> bool:
    return not model.available and (model.can_fetch or model.fetch is not None)


def _show(client: Workbench, model: ModelInfo, label: str) -> None:
    """Show the download of a model, or the button that starts it."""
    if is_fetched(model):
        _follow(model.name)
        return
    if model.fetch is not None and model.fetch.error is not None:
        show_failure(model.fetch.error, of=model.name)
    _offer(client, model, label)


def _offer(client: Workbench, model: ModelInfo, label: str) -> None:
    key = f"fetch-{model.name}"
    if pressed(label, icon=":material/download:", key=key, help=_licence(model)):
        with errors_shown():
            client.fetch_weights(model.name)
            st.rerun()


def _licence(model: ModelInfo) -> str:
    return escape_markdown(f"{t('Licence')}: {model.licence}")


@st.fragment(run_every=LOOK_EVERY_S)
def _follow(name: str) -> None:
    """Show the progress until the download ends; then the page shows its end."""
    client = connect()
    with errors_shown():
        fetch = _read(client, name)
        if fetch is None or fetch.state.is_final:
            st.rerun()
            return
        st.progress(fetch.fraction or 0.0, _describe(fetch))
        if pressed(t("Cancel"), key=f"cancel-fetch-{name}"):
            client.cancel_weights_fetch(name)
            st.rerun()


def _read(client: Workbench, name: str) -> WeightsFetch | None:
    """Read a download; None if it was cancelled in another window."""
    try:
        return client.get_weights_fetch(name)
    except ApiError as error:
        if error.code == "fetch_not_found":
            return None
        raise


def _describe(fetch: WeightsFetch) -> str:
    name = escape_markdown(fetch.model)
    if fetch.state == JobState.QUEUED:
        return t("{name}: waiting for a worker", name=name)
    if fetch.total_bytes is None:
        return t("Fetching {name}", name=name)
    there, whole = size(fetch.done_bytes), size(fetch.total_bytes)
    return t("Fetching {name}: {there} of {whole}", name=name, there=there, whole=whole)
