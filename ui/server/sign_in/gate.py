"""Lets requests of people who signed in through, and says who they are.

What follows finds `Stemcrate-Person` among the headers: the API what belongs to whom, the pages
whom to greet. A client's own headers of that name never arrive.
"""

from ipaddress import ip_address
from urllib.parse import unquote, urlencode

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from stemcrate.schemas.problem import MEDIA_TYPE, Problem
from ui.server.sign_in.person import HEADERS, Person, is_listed
from ui.settings import API_PREFIX, WorkbenchSettings

SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
PERSON = "person"
"""Key of a session."""
HEALTH = "/_stcore/health"


class Gate:
    """Answers requests of nobody with the sign-in page, 401, or a closed WebSocket.

    ``sign_in`` answers the paths of the sign-in. They are not among the routes of ``app``:
    Streamlit has sessions of its own there, which hide ours.
    """

    def __init__(self, app: ASGIApp, settings: WorkbenchSettings, sign_in: Router | None) -> None:
        self._app = app
        self._settings = settings
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if self._sign_in is not None and _is_of_sign_in(scope):
            await self._sign_in(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in HEADERS]
        person = self._find_person(scope)
        if person is None and self._is_closed(scope):
            await self._refuse(scope, receive, send)
            return
        added = [] if person is None else person.headers()
        await self._app({**scope, "headers": headers + added}, receive, send)

    def _find_person(self, scope: Scope) -> Person | None:
        match self._settings.sign_in:
            case "none":
                return None
            case "proxy":
                return self._named_by_proxy(scope)
            case _:
                return Person.from_session(HTTPConnection(scope).session.get(PERSON))

    def _named_by_proxy(self, scope: Scope) -> Person | None:
        """Return whom the proxy names; only its own requests count."""
        settings = self._settings
        names = Headers(scope=scope).getlist(settings.sign_in_header)
        if len(names) != 1 or not names[0] or not _is_from(scope, settings):
            return None
        name = unquote(names[0])
        if not is_listed(settings.sign_in_allowed, name):
            return None
        is_admin = is_listed(settings.sign_in_admins, name)
        return Person.known("proxy", name, name, is_admin=is_admin)

    def _is_closed(self, scope: Scope) -> bool:
        """Return whether a request needs a person. A program's key is for the API to judge."""
        if self._settings.sign_in == "none" or scope["path"] == HEALTH:
            return False
        is_for_api = scope["path"].startswith(f"{API_PREFIX}/")
        authorization = Headers(scope=scope).get("authorization", "")
        return not (is_for_api and authorization.lower().startswith("bearer "))

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # closed before it opens: a 403
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._refusal(scope)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response:
        is_page = scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", "")
        detail = "The session has ended, or nobody has signed in."
        hint = f"Open {SIGN_IN} in the browser; programs send a key."
        if self._settings.sign_in == "proxy":
            detail = "The proxy in front of the workbench names no person who may open it."
            hint = "Use the proxy's address, or ask who runs the workbench to admit you."
        elif is_page:
            query = scope["query_string"].decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "")
            return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': wanted})}", status_code=303)
        problem = Problem.of(401, "not_signed_in", detail, scope["path"], hint=hint)
        body = problem.model_dump(mode="json", exclude_none=True)
        return JSONResponse(body, problem.status, media_type=MEDIA_TYPE)


def _is_of_sign_in(scope: Scope) -> bool:
    path: str = scope["path"]
    is_below = path in (SIGN_IN, SIGN_OUT) or path.startswith(f"{SIGN_IN}/")
    return scope["type"] == "http" and is_below


def _is_from(scope: Scope, settings: WorkbenchSettings) -> bool:
    client = scope.get("client")
    if client is None:
        return False
    try:
        address = ip_address(client[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in settings.sign_in_proxies)
