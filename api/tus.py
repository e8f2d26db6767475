"""What the upload protocol tus 1.0 asks of every request below `/uploads`.

https://tus.io/protocols/resumable-upload; the routes are in `api.routes.uploads`.
"""

import base64
import binascii

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import bad_request, unsupported_tus_version
from core.artifacts.upload_parts import Checksum
from stemcrate.schemas.uploads import CHECKSUMS, TUS_VERSION

FOLDER = "/uploads"
EXTENSIONS = "creation,checksum,expiration,termination"
RESUMABLE = "Tus-Resumable"
OVERRIDE = "X-HTTP-Method-Override"
_WITHOUT_VERSION = ("GET", "HEAD", "OPTIONS")
MAX_METADATA_BYTES = 4096


class Tus:
    """Checks the version, takes over `X-HTTP-Method-Override`, and answers `OPTIONS`."""

    def __init__(self, app: ASGIApp, max_upload_bytes: int) -> None:
        self._app = app
        self._offer = {
            "Tus-Version": TUS_VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
            "Tus-Max-Size": str(max_upload_bytes),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not _is_upload(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[RESUMABLE] = TUS_VERSION
            await send(message)

        headers = Headers(scope=scope)
        method = headers.get(OVERRIDE, scope["method"]).upper()
        version = headers.get(RESUMABLE, "")
        if method == "OPTIONS":
            await Response(None, 204, self._offer)(scope, receive, send_with_version)
        elif version != TUS_VERSION and (version or method not in _WITHOUT_VERSION):
            refusal = unsupported_tus_version(version, scope["path"])
            await refusal(scope, receive, send_with_version)
        else:
            await self._app({**scope, "method": method}, receive, send_with_version)


def file_name_in(metadata: str) -> str:
    """Return the file name in `Upload-Metadata`; empty if there is none."""
    if len(metadata) > MAX_METADATA_BYTES:
        raise bad_request(f"Upload-Metadata is longer than {MAX_METADATA_BYTES} bytes")
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            return _decode(value, "Upload-Metadata").decode(errors="replace")
    return ""


def parse_checksum(header: str | None) -> Checksum | None:
    """Parse `Upload-Checksum`: an algorithm and the digest in base64."""
    if header is None:
        return None
    algorithm, _, digest = header.partition(" ")
    if algorithm not in CHECKSUMS:
        raise bad_request(f"Upload-Checksum has none of the algorithms {', '.join(CHECKSUMS)}")
    return Checksum(algorithm, _decode(digest, "Upload-Checksum"))


def _decode(value: str, header: str) -> bytes:
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"{header} is not in base64") from error


def _is_upload(path: str) -> bool:
    return path == FOLDER or path.startswith(f"{FOLDER}/")
