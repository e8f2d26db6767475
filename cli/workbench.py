"""Serves the browser workbench: Streamlit's server with the API and the components' files.

The host check of the API and the rule on frames hold for all three.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import streamlit as st
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.bootstrap import load_config_options

import ui
import ui.parts
from api.body_progress import BodyProgress
from api.connections import server_options
from api.hosts import KnownHosts
from config import Settings
from ui.server import assets, pages
from ui.server.proxy import ApiProxy
from ui.server.sign_in.middleware import sign_in_middleware

LIBRARIES = ("pandas", "streamlit.emojis")
"""What Streamlit itself loads late."""
SCRIPT = Path(ui.__file__).with_name("app.py")


class OwnFrames:
    """Lets no page of another origin show this one in a frame and lead clicks to it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # Pages of the API's documentation have a stricter policy.
                headers.setdefault("Content-Security-Policy", "frame-ancestors 'self'")
                headers["X-Frame-Options"] = "SAMEORIGIN"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def run_workbench(installation: Settings) -> None:
    """Serve the workbench until the process is stopped."""
    n_connections = installation.n_connections()
    # Streamlit reads .streamlit/config.toml beside this script.
    app = st.App(
        SCRIPT,
        lifespan=_loaded,
        routes=[*assets.ROUTES, *pages.ROUTES],
        middleware=[
            Middleware(OwnFrames),
            Middleware(KnownHosts, names=installation.host_names()),
            Middleware(BodyProgress, max_open=n_connections // 2),
            *sign_in_middleware(installation),
            # Before Streamlit's own, which would compress the API's answers and hold them back.
            Middleware(
                ApiProxy,
                api_url=installation.api_url,
                api_key=installation.stemcrate_api_key.get_secret_value(),
            ),
        ],
    )
    load_config_options(streamlit_options(installation))
    # Not App.run: it takes no options of the server.
    uvicorn.run(
        app,
        host=installation.ui_host,
        port=installation.ui_port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        # It would put the address that a proxy reports in the place of the proxy's own.
        proxy_headers=installation.sign_in != "proxy",
        **server_options(n_connections),
    )


@asynccontextmanager
async def _loaded(_: st.App) -> AsyncIterator[None]:
    """Load what the pages need before the first visitor comes.

    They would wait for it, and two who come at once can break each other's imports.
    """
    parts = iter_modules(ui.parts.__path__, f"{ui.parts.__name__}.")
    for name in (*LIBRARIES, *(part.name for part in parts)):
        import_module(name)
    yield


def streamlit_options(installation: Settings) -> dict[str, str | int | bool]:
    """Return the options of Streamlit that follow from the settings."""
    return {
        "server.address": installation.ui_host,
        "server.port": installation.ui_port,
        "server.headless": True,
        # Files go past Streamlit, which would hold them in memory.
        "server.maxUploadSize": 1,
    }
