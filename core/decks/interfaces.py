"""The network interfaces of this machine, with their IPv4 networks."""

import socket
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from core.errors import InvalidOption

_ADDRESS, _NETMASK = 0x8915, 0x891B  # SIOCGIFADDR, SIOCGIFNETMASK of Linux
_NAME_BYTES = 15


@dataclass(frozen=True, slots=True)
class Interface:
    """An address of this machine in a network."""

    name: str
    own: IPv4Interface

    @property
    def address(self) -> str:
        """The own address."""
        return str(self.own.ip)

    @property
    def broadcast(self) -> str:
        """The address of all in the network."""
        return str(self.own.network.broadcast_address)

    def reaches(self, address: str) -> bool:
        """Return whether an address is in the network."""
        return IPv4Address(address) in self.own.network


def check_wanted(wanted: Sequence[str]) -> None:
    """Raise `InvalidOption` for an entry that is neither a name nor an address with its prefix."""
    for entry in wanted:
        _read_address(entry)


def find_interfaces(wanted: Sequence[str]) -> list[Interface]:
    """Return the wanted interfaces that exist now.

    Parameters
    ----------
    wanted : names, such as ``eth0``, and addresses of this machine with the length of their
        network's prefix, such as ``192.168.1.20/24``. None: all interfaces but loopback, which
        only Linux tells.
    """
    given = [found for entry in wanted if (found := _read_address(entry))]
    names = set(wanted) - {interface.name for interface in given}
    if wanted and not names:
        return given
    present = _list_interfaces()
    return given + [
        found
        for found in present
        if (found.name in names if wanted else not found.own.ip.is_loopback)
    ]


def _read_address(entry: str) -> Interface | None:
    if not entry[:1].isdigit():
        return None
    try:
        own = IPv4Interface(entry)
    except ValueError as error:
        raise _not_an_interface(entry) from error
    if own.network.prefixlen > 30:
        raise _not_an_interface(entry)
    return Interface(entry, own)


def _not_an_interface(entry: str) -> InvalidOption:
    return InvalidOption(
        f"{entry!r} is not an address in a network.",
        hint="Give the name of an interface, or its IPv4 address with the length of the network's "
        "prefix: 192.168.1.20/24.",
        field="deck_interfaces",
    )


def _list_interfaces() -> list[Interface]:
    """List the interfaces that are up and have an IPv4 address."""
    if not sys.platform.startswith("linux"):
        return []
    import fcntl

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:_NAME_BYTES])
            try:
                answers = [fcntl.ioctl(asked, code, request) for code in (_ADDRESS, _NETMASK)]
            except OSError:  # it has no IPv4 address, or was just taken away
                continue
            address, netmask = (socket.inet_ntoa(answer[20:24]) for answer in answers)
            found.append(Interface(name, IPv4Interface(f"{address}/{netmask}")))
    return found
