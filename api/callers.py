"""Finds out who sends a request, before anything of it is read.

A key is demanded once one was made, and where the API listens beyond this machine (decision 21).
Otherwise whoever reaches it is the user of the machine.
"""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import LOCAL_CALLER, Caller, is_open, no_key, wrong_key
from api.problems import problem_response
from core.access.keys import Scope as KeyScope
from core.access.ring import KeyRing
from core.errors import ScopeMissing, StemcrateError
from stemcrate.schemas.owners import PERSON_HEADER, is_owner


class Callers:
    """Puts the `Caller` into the state of each request; answers those of nobody with 401.

    ``demands_key``: also while no key was made.
    """

    def __init__(self, app: ASGIApp, *, demands_key: bool) -> None:
        self._app = app
        self._demands_key = demands_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and not is_open(scope["path"]):
            ring: KeyRing = scope["app"].state.services.keys
            headers = Headers(scope=scope)
            text = _read_bearer(headers.get("authorization", ""))
            try:
                if ring.has_at_hand(text):
                    caller = self._find(ring, text)
                else:
                    caller = await run_in_threadpool(self._find, ring, text)
                if (person := headers.get(PERSON_HEADER)) is not None:
                    caller = _for_person(caller, person)
            except StemcrateError as error:
                await problem_response(error, scope["method"], scope["path"])(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)

    def _find(self, ring: KeyRing, text: str | None) -> Caller:
        """Return who has this key. Raises `KeyRequired`, `DatabaseUnavailable`."""
        if not self._demands_key and not ring.has_keys():
            return LOCAL_CALLER
        if text is None:
            raise no_key()
        key = ring.find(text)
        if key is None:
            raise wrong_key()
        return Caller.of(key)


def _for_person(caller: Caller, person: str) -> Caller:
    """Return the person whom a caller names, with no scope that it lacks. Raises `ScopeMissing`."""
    if KeyScope.PEOPLE not in caller.scopes:
        raise ScopeMissing(
            f"The key does not permit '{PERSON_HEADER}': it needs the scope 'people'.",
            hint="Send the request without that header, or have a key made for the workbench with "
            "'stemcrate keys create --scopes read,write,people'.",
        )
    owner, *words = person.split(" ")
    if not is_owner(owner):
        raise ScopeMissing(
            f"'{PERSON_HEADER}' names no owner: '{owner[:40]}'.",
            hint="It holds an owner and, after spaces, scopes, such as 'anna read write'.",
        )
    scopes = (caller.scopes - {KeyScope.PEOPLE}) & set(words)
    return Caller(owner, frozenset(scopes), caller.key_id)


def _read_bearer(authorization: str) -> str | None:
    """Return the key in an `Authorization` header; None if it has none."""
    scheme, _, text = authorization.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None
