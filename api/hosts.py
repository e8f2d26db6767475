"""Host check: the names that API and workbench answer to.

A web site can make its own name resolve to this machine (DNS rebinding). To the browser, they are
then part of that site, and origin rules no longer apply; the `Host` header still holds the
site's name. IP addresses cannot be rebound, and no web site has a name
without a dot (ICANN forbids them, SAC053): both are always allowed, and so is a client that sends
no host (HTTP/1.0), since every browser sends one.
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
    """Refuses requests, WebSockets too, for other names than ``names`` (lower case; ``*``: any)."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or answer it with a problem."""
        if scope["type"] in ("http", "websocket") and ANY not in self._names:
            hosts = Headers(scope=scope).getlist("host")
            if not all(is_known(host, self._names) for host in hosts):
                if scope["type"] == "websocket":  # closed before it opens: a 403
                    await send({"type": "websocket.close", "code": 1008})
                else:
                    await unknown_host(", ".join(hosts), scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_known(host: str, names: Collection[str]) -> bool:
    """Return whether a `Host` header (with or without port) is local or in ``names``.

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
