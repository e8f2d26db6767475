"""A real HTTP server that gives answers prepared by a test, and keeps what it was sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stemcrate.schemas.problem import Problem

Answer = tuple[int, Any, dict[str, str]]
"""Status, body (text, or what becomes JSON), headers."""


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    path: str
    headers: Message
    body: bytes

    def form(self) -> list[tuple[str, str | None, bytes]]:
        """Parse a multipart body by the standard library: field, file name, bytes."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        parts = []
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            parts.append((str(name), part.get_filename(), _content(part)))
        return parts


@dataclass
class Server:
    """Answers by method and path; anything else is ``unknown``, a 404 without a problem in it."""

    url: str = ""
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    unknown: Answer = (404, "Not here.", {})
    requests: list[Request] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[method, path] = (status, body, named)

    def problem(self, method: str, path: str, status: int, **problem: Any) -> None:
        written = Problem(
            **{"type": "urn:x", "title": "", "status": status, "detail": "", **problem}
        )
        self.answer(method, path, written.model_dump(mode="json"), status)


@contextmanager
def serve() -> Iterator[Server]:
    """Run a server for as long as the block runs."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.requests.append(Request(self.command, self.path, self.headers, body))
            key = (self.command, self.path)
            status, answer, headers = server.answers.get(key, server.unknown)
            data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(0 if status == 204 else len(data)))
            self.end_headers()
            if status != 204:
                self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815 (its names)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server.url = f"http://127.0.0.1:{listener.server_address[1]}"
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content
