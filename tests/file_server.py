"""A real HTTP server for a folder: with ranges, checksums as ETags, and broken connections."""

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self


class FileServer:
    """Serves a folder on a port of this machine until it is closed.

    Attributes
    ----------
    break_after : bytes of a body after which the connection is closed; None sends all.
    refuse_after_break : answer 503 once a connection was broken.
    has_ranges : whether ``Range`` is understood.
    stall : set by a test to make the server wait, after ``break_after`` bytes, until it is closed.
    stalled : set when it waits.
    ranges, n_requests, n_sent : what was asked for with GET, and how many bytes of bodies went out.
    """

    def __init__(self, folder: Path, prefix: str = "/") -> None:
        self.folder = folder
        self.break_after: int | None = None
        self.refuse_after_break = False
        self.has_ranges = True
        self.stall = False
        self.stalled = threading.Event()
        self.ranges: list[str] = []
        self.n_requests = 0
        self.n_sent = 0
        self._prefix = prefix
        self._has_broken = False
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def url(self, name: str) -> str:
        return f"{self.address}{self._prefix}{name}"

    def close(self) -> None:
        if not self._closing.is_set():
            self._closing.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def answer(self, request: Any, *, with_body: bool) -> None:
        file = self.folder / request.path.removeprefix(self._prefix)
        self.n_requests += with_body
        if not request.path.startswith(self._prefix) or not file.is_file():
            _send(request, 404, {"X-Error-Code": "RepoNotFound", "Content-Length": "0"})
            return
        if self.refuse_after_break and self._has_broken:
            _send(request, 503, {"Content-Length": "0"})
            return
        content = file.read_bytes()
        headers = {
            "X-Repo-Commit": "0" * 40,
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
        }
        if request.headers.get("If-None-Match") == headers["ETag"]:
            _send(request, 304, headers)
            return
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if asked and with_body:
            self.ranges.append(asked[0])
        if asked and self.has_ranges:
            start = int(asked[1])
            if start >= len(content):
                _send(request, 416, {**headers, "Content-Length": "0"})
                return
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content = content[start:]
        _send(
            request,
            206 if asked and self.has_ranges else 200,
            {
                **headers,
                "Content-Length": str(len(content)),
            },
        )
        if with_body:
            self._send_body(request, content)

    def _send_body(self, request: Any, content: bytes) -> None:
        breaks = self.break_after is not None and self.break_after < len(content)
        body = content[: self.break_after] if breaks else content
        # Before they go: who has them all may look at once.
        self.n_sent += len(body)
        self._has_broken |= breaks
        request.wfile.write(body)
        request.wfile.flush()
        if breaks:
            if self.stall:
                self.stalled.set()
                self._closing.wait()
            request.close_connection = True


def _send(request: Any, status: int, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.end_headers()


def _handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            server.answer(self, with_body=False)

        def do_GET(self) -> None:
            server.answer(self, with_body=True)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    return Handler
