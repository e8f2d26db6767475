"""Watches all players of the network, in one thread of its own."""

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.decks.device import Device
from core.decks.discovery import PORT, Discovery
from core.decks.files import fetch_databases
from core.decks.interfaces import Interface, check_wanted
from core.decks.played import HEARD_AFTER_S, PlayedTracks
from core.decks.wire import EXIT, HOWDY, TOKEN_BYTES, Announcement
from core.errors import DeckNotFound
from core.system.clock import now
from stemcrate.schemas.decks import DecksReport

logger = logging.getLogger(__name__)

MAX_DEVICES = 16
_NO_PLAYERS = frozenset({"OfflineAnalyzer"})
"""Software that announces itself and has no decks."""
_NO_NETWORK = "No network to listen to: name it in DECK_INTERFACES, as address and prefix."


@dataclass(frozen=True, slots=True)
class Patience:
    """Times of the watcher, in seconds."""

    announce_s: float = 1.0
    report_s: float = 0.1
    interfaces_s: float = 5.0
    silence_s: float = 15.0
    """How long a device may be silent until it is taken for gone."""
    heard_after_s: float = HEARD_AFTER_S


class DeckWatcher:
    """Listens for players and follows their decks until closed. Safe to ask from any thread.

    Parameters
    ----------
    interfaces : as `core.decks.interfaces.find_interfaces` takes them. Raises `InvalidOption`.
    port : of announcements.
    version : of this program, which it announces.
    """

    def __init__(
        self,
        interfaces: Sequence[str] = (),
        *,
        port: int = PORT,
        version: str = "0",
        patience: Patience = Patience(),
    ) -> None:
        check_wanted(interfaces)
        token = bytearray(secrets.token_bytes(TOKEN_BYTES))
        token[0] &= 0x7F  # players ignore tokens with the top bit
        own = Announcement(bytes(token), "stemcrate", HOWDY, "stemcrate", version, 0)
        self._token = own.token
        self._patience = patience
        self._discovery = Discovery(interfaces, port, own, self._hear)
        self._devices: dict[bytes, Device] = {}
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._played = PlayedTracks(patience.heard_after_s)
        self._error: str | None = None
        self._report = DecksReport(is_on=True)
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="decks", daemon=True)
        self._thread.start()

    def report(self) -> DecksReport:
        """Return all players as of now; the same object while nothing has changed."""
        return self._report

    def fetch_databases(self, name: str, folder: Path) -> list[Path]:
        """Copy the databases of Engine DJ in a player to a folder, which may take minutes.

        ``name`` is its id, address or name. Raises `DeckNotFound`, and as
        `core.decks.files.fetch_databases`.
        """
        devices = list(self._devices.values())
        found = [d for d in devices if name in (d.id, d.address, d.said.name)]
        if len(found) != 1:
            heard = ", ".join(f"{d.said.name} ({d.address})" for d in devices) or "none"
            raise DeckNotFound(
                f"{'Several players are' if found else 'No player is'} called {name!r}.",
                hint=f"Give an address or id. Players that are heard: {heard}.",
            )
        work = fetch_databases(found[0], folder)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Say good-bye, end all connections and the thread."""
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._watch())
        except Exception:
            logger.exception("the watcher of decks has ended")
            self._report = DecksReport(is_on=True, error="It has ended; the log says why.")

    async def _watch(self) -> None:
        times = self._patience
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(_every(times.interfaces_s, self._look)),
                    tasks.create_task(_every(times.announce_s, self._announce)),
                    tasks.create_task(_every(times.report_s, self._publish)),
                ]
                await self._stopping.wait()
                for task in running:
                    task.cancel()
        finally:
            for token in list(self._devices):
                self._forget(token)
            self._discovery.close()

    async def _look(self) -> None:
        try:
            await self._discovery.look()
        except OSError as error:
            self._error = f"Announcements cannot be received: {error.strerror}."
        else:
            self._error = None if self._discovery.is_listening else _NO_NETWORK

    async def _announce(self) -> None:
        self._discovery.announce()
        oldest_s = time.monotonic() - self._patience.silence_s
        for token, device in list(self._devices.items()):
            if device.heard_s < oldest_s:
                logger.info("%s at %s is silent", device.said.name, device.address)
                self._forget(token)

    async def _publish(self) -> None:
        devices = [device.describe() for device in self._devices.values()]
        devices.sort(key=lambda device: (device.player or 0, device.name, device.id))
        self._played.observe(devices, time.monotonic(), now())
        report = DecksReport(
            is_on=True, error=self._error, devices=devices, played=self._played.tracks
        )
        if report != self._report:
            self._report = report

    def _hear(self, said: Announcement, address: str, interface: Interface) -> None:
        device = self._devices.get(said.token)
        if said.action == EXIT:
            if device is not None and device.address == address:
                self._forget(said.token)
        elif device is not None:
            device.hear(said, address, interface)
        elif said.port and said.software not in _NO_PLAYERS:
            self._meet(said, address, interface)

    def _meet(self, said: Announcement, address: str, interface: Interface) -> None:
        if len(self._devices) >= MAX_DEVICES:
            logger.debug("%s is ignored: there are %d devices", said.name, MAX_DEVICES)
            return
        logger.info("%s (%s %s) at %s", said.name, said.software, said.version, address)
        device = Device(self._token, said, address, interface)
        self._devices[said.token] = device
        task = self._loop.create_task(device.keep_connected())
        task.add_done_callback(_log_defect)
        self._tasks[said.token] = task

    def _forget(self, token: bytes) -> None:
        del self._devices[token]
        self._tasks.pop(token).cancel()


async def _every(interval_s: float, do: Callable[[], Awaitable[None]]) -> None:
    while True:
        await do()
        await asyncio.sleep(interval_s)


def _log_defect(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("a player is not followed any more", exc_info=error)
