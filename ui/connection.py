"""The client of this installation, from the settings."""

from config import settings
from ui.client import StemcrateClient


def connect() -> StemcrateClient:
    """Give a client for the API that the settings name."""
    installation = settings()
    return StemcrateClient(installation.api_url, public_url=installation.browser_api_url())
