"""Which addresses the server may call for others: public ones, and those that the operator names.

Whoever sends a link must not reach what only the server reaches: its own machine, the network
around it, the metadata service of its cloud.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from core.errors import AddressForbidden

_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # Azure's platform service, in public space
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata service is here
            "192.88.99.0/24",  # relays of 6to4
            "2001::/23",  # protocol assignments, Teredo: they carry IPv4 addresses
            "2002::/16",  # 6to4, likewise
        ),
    )
)
_PUBLIC_IPV6 = ip_network("2000::/3")
"""All that IANA has given out; 64:ff9b::/96 (NAT64), ::/96 and local networks lie outside."""


class AddressGuard:
    """Permits public addresses, and those that the operator names.

    Parameters
    ----------
    allowed : networks (``10.0.0.0/8``), addresses or host names (``nas.local``) that may be called
        although they are not public.

    Raises
    ------
    ValueError : an entry is none of these.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._networks = []
        self._hosts = set()
        for entry in allowed:
            try:
                self._networks.append(ip_network(entry))
            except ValueError:
                if "/" in entry or ":" in entry or entry.replace(".", "").isdigit():
                    raise
                self._hosts.add(entry.lower().rstrip("."))

    def permits(self, host: str, address: str) -> bool:
        """Return whether ``address``, to which the name ``host`` leads, may be called."""
        found = ip_address(address)
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        if is_public(found) or host.lower().rstrip(".") in self._hosts:
            return True
        return any(found in network for network in self._networks)

    def require(self, host: str, address: str) -> None:
        """Raise `AddressForbidden` unless ``address`` may be called."""
        if not self.permits(host, address):
            raise AddressForbidden(
                f"{host[:200]} leads to an address that is not public.",
                hint="The operator can name such hosts and networks in OUTGOING_ALLOWED.",
            )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address belongs to a host on the public internet.

    >>> [is_public(ip_address(a)) for a in ("93.184.216.34", "127.0.0.1", "169.254.169.254")]
    [True, False, False]
    """
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    return not any(address in network for network in _NOT_PUBLIC)
