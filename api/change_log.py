"""A line in the log for each request that may change something: who did what, and when."""

import logging

from starlette.types import ASGIApp, Receive, Scope, Send

from api.noting import noting
from api.origins import SAFE_METHODS
from core.system.log_limit import UNLIMITED

logger = logging.getLogger(__name__)

MAX_PATH_LENGTH = 200


class ChangeLog:
    """Logs method, path, status, client, key and request id, and where a new job or playlist is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        send_and_note, noted = noting(send)
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            _log(scope, noted.status, noted.location)


def _log(scope: Scope, status: int, location: str) -> None:
    # As it was sent: percent-encoded, so that a line of the log stays a line.
    path = scope["raw_path"].decode("latin-1")[:MAX_PATH_LENGTH]
    client = scope["client"][0] if scope.get("client") else "-"
    caller = scope["state"].get("caller")
    if caller is not None and caller.key_id is not None:
        client += f" with the key {caller.key_id} of {caller.owner}"
    outcome = f"{status or '-'} {location}".rstrip()
    line = (scope["method"], path, outcome, client, scope["state"]["request_id"])
    if 200 <= status < 400:
        logger.info("%s %s: %s, from %s [%s]", *line, extra=UNLIMITED)
    else:
        logger.info("%s %s: %s, from %s [%s]", *line)
