"""A player: keeps a connection to its directory and services, and knows its decks."""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field

from core.decks.facts import describe_decks
from core.decks.interfaces import Interface
from core.decks.states import (
    PLAYER,
    STATES,
    Beat,
    Value,
    read_beats,
    read_state,
    start_beats,
    subscribe,
)
from core.decks.wire import (
    Announcement,
    BadMessage,
    ServiceOffer,
    read_directory,
    read_frame,
    reference,
    services_request,
)
from stemcrate.schemas.decks import DeckDevice, DeviceState

logger = logging.getLogger(__name__)

CONNECT_S = 5.0
KEEP_ALIVE_S = 0.25
STATE_MAP, BEAT_INFO, FILE_TRANSFER = "StateMap", "BeatInfo", "FileTransfer"
_OFFER_S = 10.0
"""How long a directory may take to name a service."""
_STILL_TALKS_S = 2.0
_MAX_SERVICES = 32
_MAX_MESSAGES_PER_S = 2000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 8.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Device:
    """A player that was heard.

    ``heard_s``: when anything of it arrived last, ``talked_s``: over TCP (`time.monotonic`).
    """

    own_token: bytes
    said: Announcement
    address: str
    interface: Interface
    heard_s: float = field(default_factory=time.monotonic)
    talked_s: float = 0.0
    services: dict[str, int] = field(default_factory=dict)
    is_connected: bool = False
    error: str | None = None
    _states: dict[str, Value] = field(default_factory=dict)
    _beats: tuple[Beat, ...] = ()
    _again: asyncio.Event = field(default_factory=asyncio.Event)
    _directory: asyncio.StreamWriter | None = None

    @property
    def id(self) -> str:
        """The token, in hex."""
        return self.said.token.hex()

    def hear(self, said: Announcement, address: str, interface: Interface) -> None:
        """Take another announcement; a new port or address is tried at once.

        While the device talks at its old address, somebody else announces its token.
        """
        self.heard_s = time.monotonic()
        is_same = (said.port, address) == (self.said.port, self.address)
        if is_same or self.heard_s - self.talked_s < _STILL_TALKS_S:
            return
        self.said, self.address, self.interface = said, address, interface
        self._again.set()
        if self._directory is not None:
            self._directory.transport.abort()

    def describe(self) -> DeckDevice:
        """Return what is known of it."""
        player = self._states.get(PLAYER)
        is_number = isinstance(player, str) and player.isdecimal()
        return DeckDevice(
            id=self.id,
            name=self.said.name[:100],
            software=self.said.software[:100],
            version=self.said.version[:100],
            address=self.address,
            state=DeviceState.CONNECTED if self.is_connected else DeviceState.CONNECTING,
            error=self.error,
            player=int(str(player)[:4]) if is_number else None,
            services=sorted(self.services),
            decks=describe_decks(self._states, self._beats),
        )

    async def keep_connected(self) -> None:
        """Connect, and again whenever the connection ends, until cancelled."""
        wait_s = _FIRST_WAIT_S
        while True:
            self._again.clear()
            began_s = time.monotonic()
            try:
                await self._follow()
            except* (OSError, TimeoutError, EOFError, BadMessage) as failed:
                self._lose(_reason(failed))
            if time.monotonic() - began_s > _LONGEST_WAIT_S:
                wait_s = _FIRST_WAIT_S
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._again.wait()
            wait_s = _FIRST_WAIT_S if self._again.is_set() else min(2 * wait_s, _LONGEST_WAIT_S)

    async def open(self, service: str) -> Streams:
        """Connect to a service, and say which it is meant to be.

        Raises `OSError`, `TimeoutError`.
        """
        streams = await self._connect(self.services[service])
        own_port = streams[1].get_extra_info("sockname")[1]
        streams[1].write(ServiceOffer(self.own_token, service, own_port).encode())
        return streams

    async def _connect(self, port: int) -> Streams:
        local = (self.interface.address, 0)
        async with asyncio.timeout(CONNECT_S):
            return await asyncio.open_connection(self.address, port, local_addr=local)

    async def _follow(self) -> None:
        """Follow the device until its connection ends, by an exception group."""
        reader, writer = await self._connect(self.said.port)
        self._directory = writer
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_alive(writer))
                await self._read_directory(reader, tasks)
        finally:
            self._directory = None
            writer.transport.abort()

    async def _keep_alive(self, writer: asyncio.StreamWriter) -> None:
        writer.write(services_request(self.own_token))
        while True:
            writer.write(reference(self.own_token, self.said.token))
            async with asyncio.timeout(CONNECT_S):
                await writer.drain()
            await asyncio.sleep(KEEP_ALIVE_S)

    async def _read_directory(self, reader: asyncio.StreamReader, tasks: asyncio.TaskGroup) -> None:
        followers = {STATE_MAP: self._follow_states, BEAT_INFO: self._follow_beats}
        meter = _Meter()
        until_s = time.monotonic() + _OFFER_S
        while True:
            async with asyncio.timeout(None if self.services else until_s - time.monotonic()):
                offer = await read_directory(reader)
            self._talk(meter)
            if offer is None or offer.name in self.services:
                continue
            if len(self.services) >= _MAX_SERVICES:
                raise BadMessage(f"A device has no more than {_MAX_SERVICES} services.")
            self.services[offer.name[:100]] = offer.port
            self.is_connected, self.error = True, None
            if offer.name in followers:
                tasks.create_task(followers[offer.name]())

    async def _follow_states(self) -> None:
        reader, writer = await self.open(STATE_MAP)
        try:
            for name in STATES:
                writer.write(subscribe(name))
            meter = _Meter()
            while True:
                found = read_state(await read_frame(reader))
                self._talk(meter)
                if found is not None and found[0] in STATES:
                    self._states[found[0]] = found[1]
        finally:
            writer.transport.abort()

    async def _follow_beats(self) -> None:
        reader, writer = await self.open(BEAT_INFO)
        try:
            writer.write(start_beats())
            meter = _Meter()
            while True:
                beats = read_beats(await read_frame(reader))
                self._talk(meter)
                if beats is not None:
                    self._beats = beats
        finally:
            writer.transport.abort()

    def _talk(self, meter: "_Meter") -> None:
        self.heard_s = self.talked_s = time.monotonic()
        meter.count(self.talked_s)

    def _lose(self, reason: str) -> None:
        logger.info("no connection to %s at %s: %s", self.said.name, self.address, reason)
        self.is_connected, self.error = False, reason
        self.services = {}
        self._states = {}
        self._beats = ()
        self.talked_s = 0.0


@dataclass(slots=True)
class _Meter:
    """Counts the messages of a connection: no device may keep this program busy."""

    since_s: float = 0.0
    n: int = 0

    def count(self, now_s: float) -> None:
        if now_s - self.since_s >= 1.0:
            self.since_s, self.n = now_s, 0
        self.n += 1
        if self.n > _MAX_MESSAGES_PER_S:
            raise BadMessage(f"It sent more than {_MAX_MESSAGES_PER_S} messages in a second.")


def _reason(failed: BaseExceptionGroup) -> str:
    cause: BaseException = failed
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if isinstance(cause, TimeoutError):
        return "It does not answer."
    if isinstance(cause, EOFError):
        return "It closed the connection."
    return str(cause)[:200]
