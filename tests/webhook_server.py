"""A real server that is told things by webhooks, and answers as a test wants."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Told:
    """One request: its headers, with names in lower case, and its body."""

    headers: dict[str, str]
    body: bytes


@dataclass
class WebhookServer:
    """Answers with each of ``answers`` in turn, the last of them again and again."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(204, {})])
    told: list[Told] = field(default_factory=list)
    silent: threading.Event | None = None
    """Set by a test to make the server wait for it before each answer."""

    def answer(self, *statuses: int, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers = [(status, named) for status in statuses]


@contextmanager
def webhook_server() -> Iterator[WebhookServer]:
    server = WebhookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.told.append(Told(headers, body))
            if server.silent is not None:
                server.silent.wait()
            status, named = server.answers[0]
            if len(server.answers) > 1:
                server.answers.pop(0)
            self.send_response(status)
            for name, value in {"Content-Length": "0", **named}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
        thread.start()
        server.url = f"http://127.0.0.1:{listener.server_port}/hook"
        try:
            yield server
        finally:
            if server.silent is not None:
                server.silent.set()
            listener.shutdown()
            thread.join()
