"""Messages of StageLinQ as bytes: big-endian numbers, and UTF-16 texts after their length."""

import asyncio
import struct
from dataclasses import dataclass

MAX_FRAME_BYTES = 64 * 1024
MAX_TEXT_BYTES = 16 * 1024
TOKEN_BYTES = 16
HOWDY = "DISCOVERER_HOWDY_"
EXIT = "DISCOVERER_EXIT_"
_DISCOVERY = b"airD"


class BadMessage(Exception):
    """Bytes are not a message of the protocol, or too long."""


class Reader:
    """Takes values off the front of a message. Every method raises `BadMessage` at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, n: int) -> bytes:
        """Return the next ``n`` bytes."""
        end = self._at + n
        if n < 0 or end > len(self._data):
            raise BadMessage("The message is cut short.")
        found = self._data[self._at : end]
        self._at = end
        return found

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        return self.take(len(self._data) - self._at)

    def u16(self) -> int:
        """Return an unsigned number of 2 bytes."""
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        """Return an unsigned number of 4 bytes."""
        return int.from_bytes(self.take(4), "big")

    def u64(self) -> int:
        """Return an unsigned number of 8 bytes."""
        return int.from_bytes(self.take(8), "big")

    def f64(self) -> float:
        """Return a float of 8 bytes."""
        value: float = struct.unpack(">d", self.take(8))[0]
        return value

    def text(self) -> str:
        """Return a text."""
        n_bytes = self.u32()
        if n_bytes > MAX_TEXT_BYTES:
            raise BadMessage(f"A text of {n_bytes} bytes is too long.")
        return decode_text(self.take(n_bytes))


def decode_text(data: bytes) -> str:
    """Decode a text. Raises `BadMessage`."""
    try:
        return data.decode("utf-16-be")
    except UnicodeDecodeError as error:
        raise BadMessage("A text is not UTF-16.") from error


def u16(value: int) -> bytes:
    """Write a number of 2 bytes."""
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    """Write a number of 4 bytes."""
    return value.to_bytes(4, "big")


def text(value: str) -> bytes:
    """Write a text."""
    data = value.encode("utf-16-be")
    return u32(len(data)) + data


def frame(payload: bytes) -> bytes:
    """Write a message of a service: its length, then itself."""
    return u32(len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read a message of a service.

    Raises `BadMessage` if it is too long, `asyncio.IncompleteReadError` and `OSError` at the end
    of the connection.
    """
    n_bytes = int.from_bytes(await reader.readexactly(4), "big")
    if n_bytes > MAX_FRAME_BYTES:
        raise BadMessage(f"A message of {n_bytes} bytes is too long.")
    return await reader.readexactly(n_bytes)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a device says of itself by UDP. ``port``: of its directory; 0 offers none."""

    token: bytes
    name: str
    action: str
    software: str
    version: str
    port: int

    def encode(self) -> bytes:
        """Write the datagram."""
        names = (self.name, self.action, self.software, self.version)
        return _DISCOVERY + self.token + b"".join(map(text, names)) + u16(self.port)

    @classmethod
    def decode(cls, data: bytes) -> "Announcement":
        """Read a datagram. Raises `BadMessage`."""
        reader = Reader(data)
        if reader.take(4) != _DISCOVERY:
            raise BadMessage("The datagram is no announcement.")
        token = reader.take(TOKEN_BYTES)
        name, action, software, version = (reader.text() for _ in range(4))
        return cls(token, name, action, software, version, reader.u16())


@dataclass(frozen=True, slots=True)
class ServiceOffer:
    """A service and its TCP port, as a directory lists it."""

    token: bytes
    name: str
    port: int

    def encode(self) -> bytes:
        """Write the message."""
        return u32(0) + self.token + text(self.name) + u16(self.port)


def services_request(token: bytes) -> bytes:
    """Write the question for the services of a device."""
    return u32(2) + token


def reference(own: bytes, other: bytes) -> bytes:
    """Write the message that keeps a connection to a directory open."""
    return u32(1) + own + other + bytes(8)


async def read_directory(reader: asyncio.StreamReader) -> ServiceOffer | None:
    """Read a message of a directory; None for those that say nothing of services.

    Raises `BadMessage`, and as `read_frame` at the end of the connection.
    """
    kind = int.from_bytes(await reader.readexactly(4), "big")
    token = await reader.readexactly(TOKEN_BYTES)
    if kind == 0:
        n_bytes = int.from_bytes(await reader.readexactly(4), "big")
        if n_bytes > MAX_TEXT_BYTES:
            raise BadMessage(f"A name of {n_bytes} bytes is too long.")
        name = decode_text(await reader.readexactly(n_bytes))
        return ServiceOffer(token, name, int.from_bytes(await reader.readexactly(2), "big"))
    if kind == 1:
        await reader.readexactly(TOKEN_BYTES + 8)
    elif kind != 2:
        raise BadMessage(f"A directory has no messages of kind {kind}.")
    return None
