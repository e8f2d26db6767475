"""Which names this API answers to.

A web site can make its own name lead to this machine (DNS rebinding). To the browser the API is
then part of that site, and no rule about origins holds any more; the `Host` header still has the
site's name. An address, unlike a name, leads to nowhere but itself, and no web site has a name
without a dot (ICANN forbids them, SAC053): both are always answered, and so is a client that names
no host (HTTP/1.0), since every browser does.
"""

import re
from collections.abc import Collection
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import unknown_host

ANY = "*"
_NAME_AND_PORT = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:/?#@\[\]]+))(?::\d*)?")


class KnownHosts:
    """Refuse requests for a name that is not this API's; ``names`` in lower case, or ``*``."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a problem."""
        if scope["type"] == "http" and ANY not in self._names:
            hosts = Headers(scope=scope).getlist("host")
            if not all(is_known(host, self._names) for host in hosts):
                await unknown_host(", ".join(hosts), scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_known(host: str, names: Collection[str]) -> bool:
    """Tell whether a `Host` header (port or none) is no web site's, or is in ``names``.

    >>> is_known("[::1]:8000", ()), is_known("LOCALHOST.", ()), is_known("evil.test", ())
    (True, True, False)
    """
    parts = _NAME_AND_PORT.fullmatch(host)
    if parts is None:
        return False
    name = (parts[1] or parts[2]).lower().rstrip(".")
    return "." not in name or name in names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
