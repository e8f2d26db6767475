"""A player that speaks StageLinQ over real sockets of loopback addresses.

It writes its messages by itself, from recorded facts (docs/decks.md), so that it shares no mistake
with the code under test. As real players do, it serves only who announced itself.
"""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

BROADCAST = "127.255.255.255"
CHUNK = 4096
_ANNOUNCE_S = 0.1
_BEATS_S = 0.02
Writer = asyncio.StreamWriter


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def utf16(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return struct.pack(">I", len(data)) + data


def framed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


@dataclass
class Playing:
    """Where a deck is."""

    beat: float = 0.0
    total_beats: float = 0.0
    tempo_bpm: float = 120.0
    samples: float = 0.0


@dataclass
class DeckSimulator:
    """A player; `start` it, change it, `stop` it (it says good-bye) or `kill` it (it does not)."""

    address: str
    udp_port: int
    token: bytes = bytes(range(16))
    name: str = "sc6000"
    files: dict[str, bytes] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)
    playing: dict[int, Playing] = field(default_factory=dict)
    n_decks: int = 2
    seen: list[bytes] = field(default_factory=list)
    """Announcements of others."""
    broadcast: str = BROADCAST
    n_visits: int = 0
    """How often its directory was called."""
    is_frozen: bool = False
    """Stands still as a player without power does: says nothing, closes nothing."""

    _writers: dict[Writer, str] = field(default_factory=dict)
    _subscribed: dict[Writer, set[str]] = field(default_factory=dict)

    def start(self) -> "DeckSimulator":
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._ended = asyncio.Event()
        self._is_polite = True
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop.close()

    def kill(self) -> None:
        self._is_polite = False
        self.stop()

    def load(self, deck: int, title: str, artist: str, *, key: int = 1, **more: Any) -> None:
        """Load a track and play it."""
        of = f"/Engine/Deck{deck}"
        values = {
            "Track/SongName": {"type": 8, "string": title},
            "Track/ArtistName": {"type": 8, "string": artist},
            "Track/TrackNetworkPath": {"type": 8, "string": f"net://x/USB 1/{title}.mp3"},
            "Track/CurrentKeyIndex": {"type": 10, "value": key},
            "Track/SampleRate": {"type": 14, "value": 44100},
            "Track/CurrentBPM": {"type": 0, "value": 124},
            "Track/SongLoaded": {"type": 2, "state": True},
            "CurrentBPM": {"type": 0, "value": 126.5},
            "ExternalMixerVolume": {"type": 0, "value": 0.75},
            "Play": {"type": 1, "state": True},
            **more,
        }
        for name, value in values.items():
            self.set(f"{of}/{name}", value)

    def set(self, name: str, value: Any) -> None:
        self.states[name] = value
        self._loop.call_soon_threadsafe(self._tell, name)

    def send(self, service: str, data: bytes) -> None:
        """Send bytes on every connection of a service, whatever they are."""

        def send() -> None:
            for writer, name in self._writers.items():
                if name == service:
                    writer.write(data)

        self._loop.call_soon_threadsafe(send)

    def announcement(self, action: str, port: int) -> bytes:
        names = (self.name, action, "JP13", "2.3.1")
        return b"airD" + self.token + b"".join(map(utf16, names)) + struct.pack(">H", port)

    async def _run(self) -> None:
        handlers: dict[str, Callable[..., Awaitable[None]]] = {
            "StateMap": self._states_service,
            "BeatInfo": self._beats_service,
            "FileTransfer": self._files_service,
        }
        servers = {n: await asyncio.start_server(h, self.address) for n, h in handlers.items()}
        self._ports = {name: s.sockets[0].getsockname()[1] for name, s in servers.items()}
        servers["directory"] = await asyncio.start_server(self._directory, self.address)
        port = servers["directory"].sockets[0].getsockname()[1]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        udp.bind((self.address, 0))
        udp.setblocking(False)
        heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        heard.bind(("", self.udp_port))
        heard.setblocking(False)
        tasks = [self._loop.create_task(one) for one in (self._hear(heard), self._shout(udp, port))]
        self._ready.set()
        await self._ended.wait()
        if self._is_polite:
            udp.sendto(self.announcement("DISCOVERER_EXIT_", port), (self.broadcast, self.udp_port))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in list(self._writers):
            writer.transport.abort()
        for server in servers.values():
            server.close()
        udp.close()
        heard.close()
        own = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not own]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _shout(self, udp: socket.socket, port: int) -> None:
        while True:
            if not self.is_frozen:
                howdy = self.announcement("DISCOVERER_HOWDY_", port)
                with suppress(OSError):  # the network is away
                    udp.sendto(howdy, (self.broadcast, self.udp_port))
            await asyncio.sleep(_ANNOUNCE_S)

    async def _hear(self, heard: socket.socket) -> None:
        while True:
            data = await self._loop.sock_recv(heard, 4096)
            if data[4:20] != self.token:
                self.seen.append(data)

    async def _directory(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        with self._open(writer, "directory"):
            self.n_visits += 1
            while True:
                kind = struct.unpack(">I", await reader.readexactly(4))[0]
                token = await reader.readexactly(16)
                if kind == 1:
                    await reader.readexactly(24)
                    own = struct.pack(">I", 1) + bytes(16) + self.token + bytes(8)
                    if not self.is_frozen:
                        writer.write(own)
                elif kind == 2 and not self.is_frozen:
                    while not any(seen[4:20] == token for seen in self.seen):
                        await asyncio.sleep(_BEATS_S)  # a stranger waits
                    writer.write(struct.pack(">I", 2) + self.token)
                    for name, port in self._ports.items():
                        service = utf16(name) + struct.pack(">H", port)
                        writer.write(struct.pack(">I", 0) + self.token + service)

    async def _greeted(self, reader: asyncio.StreamReader, service: str) -> None:
        head = await reader.readexactly(24)
        name = await reader.readexactly(struct.unpack(">I", head[20:])[0])
        await reader.readexactly(2)
        assert (head[:4], name.decode("utf-16-be")) == (bytes(4), service)

    async def _frame(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.readexactly(struct.unpack(">I", await reader.readexactly(4))[0])

    async def _states_service(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        with self._open(writer, "StateMap"):
            await self._greeted(reader, "StateMap")
            subscribed = self._subscribed[writer] = set()
            while True:
                message = await self._frame(reader)
                assert message[:8] == b"smaa" + struct.pack(">I", 0x7D2)
                n_bytes = struct.unpack(">I", message[8:12])[0]
                name = message[12 : 12 + n_bytes].decode("utf-16-be")
                subscribed.add(name)
                answer = struct.pack(">I", 0x7D1) + utf16(name) + b"\xff\xff\xff\xff"
                writer.write(framed(b"smaa" + answer))
                self._tell(name)

    def _tell(self, name: str) -> None:
        if name not in self.states or self.is_frozen:
            return
        content = utf16(name) + utf16(json.dumps(self.states[name]))
        for writer, names in self._subscribed.items():
            if name in names:
                writer.write(framed(b"smaa" + bytes(4) + content))

    async def _beats_service(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        with self._open(writer, "BeatInfo"):
            await self._greeted(reader, "BeatInfo")
            assert await self._frame(reader) == bytes(4)
            while True:
                decks = [self.playing.get(n + 1, Playing()) for n in range(self.n_decks)]
                message = struct.pack(">IQI", 2, 7, len(decks))
                for deck in decks:
                    message += struct.pack(">ddd", deck.beat, deck.total_beats, deck.tempo_bpm)
                for deck in decks:
                    message += struct.pack(">d", deck.samples)
                if not self.is_frozen:
                    writer.write(framed(message))
                    await writer.drain()
                await asyncio.sleep(_BEATS_S)

    async def _files_service(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        with self._open(writer, "FileTransfer"):
            await self._greeted(reader, "FileTransfer")
            wanted = b""
            while True:
                message = await self._frame(reader)
                assert message[:8] == b"fltx" + bytes(4)
                kind = struct.unpack(">I", message[8:12])[0]
                if kind == 0x7D2:
                    names = sorted({path.split("/")[1] for path in self.files})
                    listed = struct.pack(">II", 3, len(names)) + b"".join(map(utf16, names))
                    writer.write(framed(b"fltx" + bytes(4) + listed + b"\1\1\1"))
                elif kind == 0x7D4:
                    n_bytes = struct.unpack(">I", message[12:16])[0]
                    path = message[16 : 16 + n_bytes].decode("utf-16-be")
                    wanted = self.files.get(path, b"")
                    found = struct.pack(">IIII", 4, 0, len(wanted), 7)
                    writer.write(framed(b"fltx" + bytes(4) + found))
                elif kind == 0x7D5:
                    _, number, _, first, _, last = struct.unpack(">6I", message[12:])
                    assert number == 7
                    for at in range(first * CHUNK, (last + 1) * CHUNK, CHUNK):
                        part = wanted[at : at + CHUNK]
                        head = struct.pack(">IIII", 5, 0, at, len(part))
                        writer.write(framed(b"fltx" + bytes(4) + head + part))
                    await writer.drain()
                else:
                    assert kind == 0x7D6

    def _open(self, writer: Writer, service: str) -> "_Connection":
        self._writers[writer] = service
        return _Connection(self, writer)

    def forget(self, writer: Writer) -> None:
        self._writers.pop(writer, None)
        self._subscribed.pop(writer, None)
        writer.transport.abort()


class _Connection(suppress):
    """A connection for as long as the block runs; that it ends is no error."""

    def __init__(self, simulator: DeckSimulator, writer: Writer) -> None:
        super().__init__(EOFError, OSError, asyncio.CancelledError)
        self._simulator = simulator
        self._writer = writer

    def __exit__(self, *failure: Any) -> bool:
        self._simulator.forget(self._writer)
        return super().__exit__(*failure) or False
