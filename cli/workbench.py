"""Serves the browser workbench: Streamlit's server behind the host check of the API."""

import sys
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import ui
from api.hosts import KnownHosts
from config import Settings

SCRIPT = Path(ui.__file__).with_name("app.py")
BYTES_PER_MIB = 1 << 20


class OwnFrames:
    """Lets no page of another origin show this one in a frame and lead clicks to it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = "frame-ancestors 'self'"
                headers["X-Frame-Options"] = "SAMEORIGIN"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def run_workbench(installation: Settings) -> None:
    """Serve the workbench until the process is stopped."""
    # Streamlit reads .streamlit/config.toml beside the script that this names.
    sys.argv = [str(SCRIPT)]
    app = st.App(
        SCRIPT,
        middleware=[
            Middleware(OwnFrames),
            Middleware(KnownHosts, names=installation.host_names()),
        ],
    )
    app.run(config=streamlit_options(installation))


def streamlit_options(installation: Settings) -> dict[str, str | int | bool]:
    """Return the options of Streamlit that follow from the settings."""
    return {
        "server.address": installation.ui_host,
        "server.port": installation.ui_port,
        "server.headless": True,
        # The workbench holds uploads in memory: it accepts no more than the API does.
        "server.maxUploadSize": -(-installation.max_upload_bytes // BYTES_PER_MIB),
    }
