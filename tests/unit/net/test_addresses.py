"""Which addresses may be called."""

import pytest

from core.errors import AddressForbidden
from core.net.addresses import AddressGuard

PUBLIC = ("93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:93.184.216.34")
NOT_PUBLIC = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "168.63.129.16", "192.0.0.192", "100.100.100.200"),  # clouds' metadata
    *("224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.88.99.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("2002:7f00:1::1", "2001::1", "2001:db8::1"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    """A guard that refuses everything would pass every other test."""
    assert AddressGuard().permits("example.org", address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_only_the_server_reaches_is_forbidden(address: str) -> None:
    """A link read the cloud's credentials, or a service of the local network, for its sender."""
    with pytest.raises(AddressForbidden):
        AddressGuard().require("example.org", address)


@pytest.mark.parametrize(
    ("entry", "host", "address", "permitted"),
    [
        ("10.0.0.0/8", "any.local", "10.9.9.9", True),
        ("10.0.0.0/8", "any.local", "::ffff:10.9.9.9", True),
        ("10.0.0.0/8", "any.local", "11.0.0.1", True),  # public
        ("10.0.0.0/8", "any.local", "192.168.0.1", False),
        ("192.168.0.7", "any.local", "192.168.0.7", True),
        ("192.168.0.7", "any.local", "192.168.0.8", False),
        ("fd00::/8", "any.local", "fd00::9", True),
        ("NAS.local", "nas.LOCAL.", "192.168.0.7", True),
        ("nas.local", "other.local", "192.168.0.7", False),
    ],
)
def test_the_operator_names_others(entry: str, host: str, address: str, permitted: bool) -> None:
    """Music on the operator's own server could not be fetched, or one name opened everything."""
    assert AddressGuard([entry]).permits(host, address) is permitted


@pytest.mark.parametrize("entry", ["10.0.0.0/33", "10.0.0", "10.0.0.1/8", "fd00::g"])
def test_a_mistyped_network_is_no_host_name(entry: str) -> None:
    """It would be taken and permit nothing, or something else."""
    with pytest.raises(ValueError, match=r"does not appear|has host bits"):
        AddressGuard([entry])
