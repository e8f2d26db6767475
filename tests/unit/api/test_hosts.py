"""Names in `Host` headers, as clients and attackers write them."""

from typing import Any

import pytest

from api.hosts import is_known


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LocalHost:8000", "localhost.", "api:8000", "Stems.example.org:443"),
        *("127.0.0.1:8000", "[::1]:8000", "192.168.1.5"),
    ],
)
def test_our_names_local_names_and_every_address_are_known(host: Any) -> None:
    """A laptop on the network is asked by its address, a container by the name of its service."""
    assert is_known(host, {"stems.example.org"})


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.test", "localhost.evil.test", "127.0.0.1.evil.test:8000", "xstems.example.org"),
        *("evil.test@localhost", "evil.test/localhost", "localhost evil.test", "[::1", "[]"),
    ],
)
def test_other_names_are_not(host: Any) -> None:
    """A name that merely begins, ends or looks like ours may lead here for somebody else."""
    assert not is_known(host, {"stems.example.org"})
