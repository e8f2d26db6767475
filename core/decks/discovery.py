"""Announcements by UDP: those of devices are heard, and this program's are sent.

Players connect to, and answer, only who announces itself. Announcements are sent from a socket of
each interface, bound to its own address, to the broadcast address of its network. They are
received on the addresses of broadcasts; only those from a chosen network count.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from core.decks.interfaces import Interface, find_interfaces
from core.decks.wire import EXIT, HOWDY, Announcement, BadMessage

logger = logging.getLogger(__name__)

PORT = 51337
_EVERYBODY = "255.255.255.255"
_ANY = ""
Heard = Callable[[Announcement, str, Interface], None]
"""Called with an announcement, the address that it came from, and the interface."""


class Discovery:
    """Sockets for announcements; follows interfaces as they come and go. For one event loop."""

    def __init__(self, wanted: Sequence[str], port: int, own: Announcement, heard: Heard) -> None:
        self._wanted = wanted
        self._port = port
        self._own = own
        self._heard = heard
        self._interfaces: dict[Interface, socket.socket] = {}
        self._receivers: dict[str, asyncio.DatagramTransport] = {}

    async def look(self) -> None:
        """Open sockets for interfaces that have come, and close those of others.

        Raises `OSError` if nothing can be received.
        """
        present = set(find_interfaces(self._wanted))
        for gone in self._interfaces.keys() - present:
            self._interfaces.pop(gone).close()
        for new in present - self._interfaces.keys():
            with suppress(OSError):  # its address was taken away meanwhile
                self._interfaces[new] = _open_sender(new)
        await self._receive_on({i.broadcast for i in self._interfaces})

    def announce(self) -> None:
        """Tell all networks that this program is there."""
        self._send(self._own)

    def close(self) -> None:
        """Tell all networks that this program leaves, and close the sockets."""
        self._send(replace(self._own, action=EXIT))
        for sender in self._interfaces.values():
            sender.close()
        for receiver in self._receivers.values():
            receiver.close()
        self._interfaces.clear()
        self._receivers.clear()

    @property
    def is_listening(self) -> bool:
        """Whether there is a network to listen to."""
        return bool(self._interfaces)

    def datagram_received(self, data: bytes, address: str) -> None:
        """Take a datagram."""
        interface = next((i for i in self._interfaces if i.reaches(address)), None)
        if interface is None:
            return
        try:
            announcement = Announcement.decode(data)
        except BadMessage as error:
            logger.debug("a datagram of %s is no announcement: %s", address, error)
            return
        if announcement.token != self._own.token and announcement.action in (HOWDY, EXIT):
            self._heard(announcement, address, interface)

    def _send(self, announcement: Announcement) -> None:
        data = announcement.encode()
        for interface, sender in list(self._interfaces.items()):
            try:
                sender.sendto(data, (interface.broadcast, self._port))
            except BlockingIOError:
                continue  # a full queue loses one of many
            except OSError as error:
                logger.debug("%s cannot send: %s", interface.name, error)
                sender.close()
                del self._interfaces[interface]  # the next look opens it again

    async def _receive_on(self, broadcasts: set[str]) -> None:
        wanted = {*broadcasts, _EVERYBODY} if broadcasts else set()
        if _ANY in self._receivers:
            return
        for gone in self._receivers.keys() - wanted:
            self._receivers.pop(gone).close()
        for address in wanted - self._receivers.keys():
            try:
                self._receivers[address] = await self._open_receiver(address)
            except OSError:  # only Linux has sockets of a broadcast address
                for receiver in self._receivers.values():
                    receiver.close()
                self._receivers = {_ANY: await self._open_receiver(_ANY)}
                return

    async def _open_receiver(self, address: str) -> asyncio.DatagramTransport:
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            receiver.setblocking(False)
            receiver.bind((address, self._port))
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Receiver(self), sock=receiver
            )
        except OSError:
            receiver.close()
            raise
        return transport


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, discovery: Discovery) -> None:
        self._discovery = discovery

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._discovery.datagram_received(data, addr[0])


def _open_sender(interface: Interface) -> socket.socket:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setblocking(False)
        sender.bind((interface.address, 0))
    except OSError:
        sender.close()
        raise
    return sender
