"""The client of this installation, from the settings."""

from stemcrate.client import Client
from ui.settings import api_address


class Workbench(Client):
    """The client, and the addresses under which the user's browser finds the same API."""

    def __init__(self, base_url: str, *, public_url: str = "") -> None:
        super().__init__(base_url)
        self._public_url = (public_url or base_url).rstrip("/")

    def link(self, path: str) -> str:
        """Return the address of a path of the API for the user's browser."""
        return self._public_url + path


def connect() -> Workbench:
    """Return a client for the API that the settings name."""
    address = api_address()
    return Workbench(address.api_url, public_url=address.browser_api_url())
