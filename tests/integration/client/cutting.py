"""A proxy that cuts connections, as bad networks do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

BLOCK_BYTES = 4096


@dataclass
class Cut:
    """After how many bytes of the next answer its connection is cut; None: not at all."""

    after: int | None = None


@contextmanager
def cutting_proxy(address: tuple[str, int]) -> Iterator[tuple[str, Cut]]:
    """Forward connections to ``address``; lend the proxy's URL and what it cuts."""
    cut = Cut()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=_accept, args=(listener, address, cut), daemon=True)
        thread.start()
        try:
            yield url, cut
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, address: tuple[str, int], cut: Cut) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_forward, args=(client, address, cut), daemon=True).start()


def _forward(client: socket.socket, address: tuple[str, int], cut: Cut) -> None:
    with client, socket.create_connection(address) as server:
        up = threading.Thread(target=_pump, args=(client, server, None), daemon=True)
        up.start()
        _pump(server, client, cut)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        up.join()


def _pump(source: socket.socket, sink: socket.socket, cut: Cut | None) -> None:
    n_sent = 0
    with suppress(OSError):
        while block := source.recv(BLOCK_BYTES):
            if cut and cut.after is not None and n_sent + len(block) > cut.after:
                sink.sendall(block[: cut.after - n_sent])
                cut.after = None
                return
            sink.sendall(block)
            n_sent += len(block)
