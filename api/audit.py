"""The audit trail: who changed, downloaded or was refused what, in `DATA_DIR/logs/audit.jsonl`.

One JSON object a line. The file is opened anew for each, so any program may rotate it, and several
API processes may write to it.
"""

import json
import logging
import os
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from api.noting import Noted, noting
from api.origins import SAFE_METHODS
from core.system.clock import now

logger = logging.getLogger(__name__)

DOWNLOADS = frozenset({"download_artefact", "download_zip", "download_render", "export_playlist"})
REFUSALS = (401, 403)
MAX_LENGTH = 1000
"""Of a path or an address in a line."""


class Audit:
    """Writes a line for each request that may change something, downloads, or was not permitted."""

    def __init__(self, app: ASGIApp, data_dir: Path) -> None:
        self._app = app
        self._path = data_dir / "logs" / "audit.jsonl"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send_and_note, noted = noting(send)
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            operation = scope["state"].get("operation")
            is_change = scope["method"] not in SAFE_METHODS
            if is_change or operation in DOWNLOADS or noted.status in REFUSALS:
                self._write(_line(scope, operation, noted))

    def _write(self, line: dict[str, object]) -> None:
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, data)
            finally:
                os.close(file)
        except OSError as error:
            logger.error("the audit trail lacks a line: %s", error)


def _line(scope: Scope, operation: str | None, noted: Noted) -> dict[str, object]:
    caller = scope["state"].get("caller")
    return {
        "at": now().isoformat(timespec="milliseconds"),
        "request_id": scope["state"]["request_id"],
        "owner": caller and caller.owner,
        "key_id": caller and caller.key_id,
        "client": scope["client"][0] if scope.get("client") else None,
        "method": scope["method"],
        "path": scope["raw_path"].decode("latin-1")[:MAX_LENGTH],
        "operation": operation,
        "status": noted.status or None,
        "location": noted.location[:MAX_LENGTH] or None,
    }
