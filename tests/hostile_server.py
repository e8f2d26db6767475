"""A real server that behaves as a test wants: endless, slow, lying, or redirecting."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket, threading.Event], None]
"""What it does with a connection whose request was read; the event is set when it has to end."""


@contextmanager
def hostile_server(behaviour: Behaviour) -> Iterator[str]:
    """Yield the address of a server that does one thing with every connection."""
    closing = threading.Event()
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            behaviour(connection, closing)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                if closing.is_set():
                    connection.close()
                    return
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            closing.set()
            socket.create_connection(listener.getsockname()).close()  # accept() returns
            accepting.join()
            for thread in threads:
                thread.join()


def reply(text: str) -> Behaviour:
    """Send prepared text, headers included, and close."""
    return lambda connection, _: connection.sendall(text.encode())


def redirect(target: str) -> Behaviour:
    """Redirect every request to one address."""
    return reply(f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n")


def send_endlessly(start: bytes, block: bytes, pause_s: float = 0.0) -> Behaviour:
    """Send ``block`` again and again after ``start``, with a pause before each."""

    def behave(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(start)
        while not closing.wait(pause_s):
            connection.sendall(block)

    return behave


def wait_silently(_: socket.socket, closing: threading.Event) -> None:
    """Take the request and never answer."""
    closing.wait()
