"""The client of this installation, from the settings."""

import streamlit as st

from stemcrate.client import Client
from stemcrate.schemas.owners import PERSON_HEADER
from ui.settings import API_PREFIX, api_address


class Workbench(Client):
    """The client, and the addresses under which the user's browser finds the same API."""

    def link(self, path: str) -> str:
        """Return the path of a resource of the API below the workbench's address."""
        return API_PREFIX + path


def connect() -> Workbench:
    """Return a client for the API that the settings name, for the person who signed in."""
    address = api_address()
    return Workbench(
        address.api_url,
        api_key=address.stemcrate_api_key.get_secret_value(),
        person=st.context.headers.get(PERSON_HEADER, ""),
    )
