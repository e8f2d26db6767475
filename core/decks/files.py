"""The service FileTransfer: files of the media in a player, such as the database of Engine DJ."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from core.artifacts.names import clean_name
from core.decks.device import FILE_TRANSFER, Device
from core.decks.wire import BadMessage, Reader, frame, read_frame, text, u32
from core.errors import DeckUnavailable
from core.system.atomic import atomic_path

DATABASES = ("Engine Library/Database2/m.db", "Engine Library/m.db")
"""Where a medium has its database: of Engine 2 and later, and of Engine 1."""
DATABASE_NAME = "m.db"
MAX_FILE_BYTES = 2_000_000_000
CHUNK_BYTES = 4096
ANSWER_S = 10.0
_MAGIC = b"fltx"
_N_CHUNKS = 64
"""Chunks that are asked for at a time."""
_MAX_OTHERS = 1000
"""Messages that may come between a question and its answer."""
_MAX_SOURCES = 16
_SOURCES, _OPENED, _CHUNK = 3, 4, 5
_LIST, _OPEN, _READ, _DONE = 0x7D2, 0x7D4, 0x7D5, 0x7D6
_IS_DATABASE = b"SQLite format 3\0"


async def fetch_databases(device: Device, folder: Path) -> list[Path]:
    """Copy the database of each medium in a player to ``folder``, below the medium's name.

    A file that is there is replaced once the new one is whole.

    Raises
    ------
    DeckUnavailable : the player offers no files, has no database, breaks off, or sends nonsense.
    StorageFull : the disk is full.
    """
    if FILE_TRANSFER not in device.services:
        raise DeckUnavailable(
            f"{device.said.name} offers no files.",
            hint="It does so when a medium is in it, and it is connected.",
        )
    try:
        found = [path async for path in _fetch_all(device, folder)]
    except (OSError, TimeoutError, EOFError, BadMessage) as error:
        raise DeckUnavailable(
            f"{device.said.name} broke off: {error or 'it does not answer'}.", hint="Try again."
        ) from error
    if not found:
        raise DeckUnavailable(
            f"No medium in {device.said.name} has a database of Engine DJ.",
            hint="Put the drive in, and wait until the player shows its tracks.",
        )
    return found


async def _fetch_all(device: Device, folder: Path) -> AsyncIterator[Path]:
    reader, writer = await device.open(FILE_TRANSFER)
    files = _Files(reader, writer)
    try:
        for number, source in enumerate(sources := await files.sources()):
            label = clean_name(source)
            if label in map(clean_name, sources[:number]):
                label = f"{label} {number + 1}"
            for database in DATABASES:
                target = folder / label / DATABASE_NAME
                if await files.fetch(f"/{source}/{database}", target):
                    yield target
                    break
    finally:
        writer.transport.abort()


class _Files:
    """Questions to a player, one after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def sources(self) -> list[str]:
        """Return the names of the media."""
        await self._ask(_LIST, u32(0))
        answer = await self._answer(_SOURCES)
        n_sources = answer.u32()
        if n_sources > _MAX_SOURCES:
            raise BadMessage(f"A player has no {n_sources} media")
        return [answer.text() for _ in range(n_sources)]

    async def fetch(self, path: str, target: Path) -> bool:
        """Copy a file; return False if there is none."""
        await self._ask(_OPEN, text(path) + u32(0))
        answer = await self._answer(_OPENED)
        n_bytes, number = answer.u64(), answer.u32()
        if not n_bytes:
            return False
        if n_bytes > MAX_FILE_BYTES:
            raise BadMessage(f"A database of {n_bytes} bytes is too large")
        with atomic_path(target) as temporary:
            with temporary.open("wb") as file:
                async for chunk in self._chunks(number, n_bytes):
                    file.write(chunk)
            with temporary.open("rb") as file:
                if file.read(len(_IS_DATABASE)) != _IS_DATABASE:
                    raise BadMessage(f"{path} is no database, or an encrypted one")
        await self._ask(_DONE, b"")
        return True

    async def _chunks(self, number: int, n_bytes: int) -> AsyncIterator[bytes]:
        n_chunks = -(-n_bytes // CHUNK_BYTES)
        for first in range(0, n_chunks, _N_CHUNKS):
            last = min(first + _N_CHUNKS, n_chunks) - 1
            wanted = (0, number, 0, first, 0, last)
            await self._ask(_READ, b"".join(map(u32, wanted)))
            for place in range(first, last + 1):
                at = place * CHUNK_BYTES
                answer = await self._answer(_CHUNK)
                offset, n_sent = answer.u64(), answer.u32()
                if (offset, n_sent) != (at, min(CHUNK_BYTES, n_bytes - at)):
                    raise BadMessage(f"{n_sent} bytes came for place {offset} instead of {at}")
                yield answer.take(n_sent)

    async def _ask(self, kind: int, payload: bytes) -> None:
        self._writer.write(frame(_MAGIC + u32(0) + u32(kind) + payload))
        async with asyncio.timeout(ANSWER_S):
            await self._writer.drain()

    async def _answer(self, kind: int) -> Reader:
        """Return the next message of a kind; questions of the player are left unanswered."""
        for _ in range(_MAX_OTHERS):
            async with asyncio.timeout(ANSWER_S):
                message = Reader(await read_frame(self._reader))
            if message.take(len(_MAGIC)) != _MAGIC:
                raise BadMessage("A message is not one of a file transfer")
            if message.u32() == 0 and message.u32() == kind:
                return message
        raise BadMessage("Other messages came instead of an answer")
