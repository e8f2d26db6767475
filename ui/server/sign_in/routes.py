"""The paths of the sign-in: form, provider, way back, sign-out."""

import hmac
import logging
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError  # noqa: TID251
from authlib.integrations.starlette_client import OAuth  # noqa: TID251
from httpx2 import HTTPError  # noqa: TID251
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route, Router

from ui.server.proxy import is_same_origin
from ui.server.sign_in import page
from ui.server.sign_in.gate import PERSON, SIGN_IN, SIGN_OUT
from ui.server.sign_in.guesses import WINDOW_S, Guesses
from ui.server.sign_in.person import Person, is_listed
from ui.settings import WorkbenchSettings

logger = logging.getLogger(__name__)

PROVIDER = f"{SIGN_IN}/provider"
DONE = f"{SIGN_IN}/done"
NEXT = "next"
MAX_NAME = 100
MAX_FORM_BYTES = 10_000
_NO_STORE = {"Cache-Control": "no-store"}


class SignInRoutes:
    """Handlers of the paths, for a password or a provider."""

    def __init__(self, settings: WorkbenchSettings) -> None:
        self._settings = settings
        self._guesses = Guesses()
        self._provider = OAuth().register(
            "provider",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value(),
            server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}"
            "/.well-known/openid-configuration",
            client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
        )

    def router(self) -> Router:
        """Return the routes that the way of signing in needs."""
        routes = [Route(SIGN_OUT, self.sign_out), Route(SIGN_IN, self.show)]
        if self._settings.sign_in == "password":
            routes.append(Route(SIGN_IN, self.take_password, methods=["POST"]))
        else:
            routes += [Route(PROVIDER, self.to_provider), Route(DONE, self.from_provider)]
        return Router(routes)

    async def show(self, request: Request) -> Response:
        """Show the page, or lead to where one who has signed in wants to go."""
        wanted = safe_path(request.query_params.get(NEXT, ""))
        if PERSON in request.session:
            return RedirectResponse(wanted, status_code=303)
        if self._settings.sign_in == "oidc":
            request.session[NEXT] = wanted
        return self._page(request, wanted)

    async def sign_out(self, request: Request) -> Response:
        """Forget the person."""
        request.session.clear()
        return self._page(request, "/", page.SIGNED_OUT)

    async def take_password(self, request: Request) -> Response:
        """Sign in whoever knows the password; never by a form of another site."""
        form = await _read_form(request)
        wanted = safe_path(_text(form, NEXT))
        if "origin" in request.headers and not is_same_origin(request.headers):
            return self._page(request, wanted, status=403)
        address = request.client.host if request.client else ""
        if not self._guesses.may_try(address):
            answer = self._page(request, wanted, page.TOO_MANY, status=429)
            answer.headers["Retry-After"] = str(int(WINDOW_S))
            return answer
        password = self._settings.sign_in_password.get_secret_value()
        if not hmac.compare_digest(password.encode(), _text(form, "password").encode()):
            self._guesses.note_wrong(address)
            logger.warning("a wrong password from %s", address)
            return self._page(request, wanted, page.WRONG, status=403)
        name = " ".join(_text(form, "name").split())[:MAX_NAME]
        if name:
            is_admin = is_listed(self._settings.sign_in_admins, name)
            person = Person.known("password", name.casefold(), name, is_admin=is_admin)
        else:
            person = Person(name="")
        return _admit(request, person, wanted)

    async def to_provider(self, request: Request) -> Response:
        """Lead to the provider."""
        base = self._settings.workbench_url or str(request.base_url)
        try:
            found: Response = await self._provider.authorize_redirect(
                request, base.rstrip("/") + DONE
            )
        except (OAuthError, HTTPError, ValueError) as error:
            logger.error("the provider of OIDC_ISSUER does not answer as one: %r", error)
            return self._page(request, "/", page.FAILED, status=502)
        return found

    async def from_provider(self, request: Request) -> Response:
        """Sign in whom the provider vouches for, if they are admitted."""
        wanted = safe_path(request.session.get(NEXT, ""))
        try:
            token = await self._provider.authorize_access_token(request)
            claims = token["userinfo"]
            issuer, subject = str(claims["iss"]), str(claims["sub"])
        except (OAuthError, HTTPError, ValueError, KeyError) as error:
            logger.warning("the provider signed nobody in: %r", error)
            return self._page(request, wanted, page.FAILED, status=403)
        email = str(claims.get("email") or "") if claims.get("email_verified") is True else ""
        name = str(claims.get("name") or email or subject)
        if not is_listed(self._settings.sign_in_allowed, email, subject):
            logger.warning("%s (%s) is not in SIGN_IN_ALLOWED", email or "no address", subject)
            return self._page(request, wanted, page.NOT_ADMITTED, status=403, name=name)
        is_admin = is_listed(self._settings.sign_in_admins, email, subject)
        person = Person.known(issuer, subject, name[:MAX_NAME], is_admin=is_admin)
        return _admit(request, person, wanted)

    def _page(
        self, request: Request, wanted: str, message: str = "", *, status: int = 200, name: str = ""
    ) -> HTMLResponse:
        text = page.sign_in_page(
            request.headers.get("accept-language", ""),
            wanted,
            asks_password=self._settings.sign_in == "password",
            message=message,
            name=name,
        )
        return HTMLResponse(text, status, _NO_STORE)


def safe_path(wanted: str) -> str:
    r"""Return a path of the workbench to go to; anything else, such as another site, is ``/``.

    >>> safe_path("/Track?id=1"), safe_path("//evil.test"), safe_path("/\\evil.test"), safe_path("")
    ('/Track?id=1', '/', '/', '/')
    """
    parts = urlsplit(wanted)
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    is_here = is_path and wanted.isprintable() and not (parts.scheme or parts.netloc)
    return wanted if is_here else "/"


def _admit(request: Request, person: Person, wanted: str) -> Response:
    request.session.clear()
    request.session[PERSON] = person.to_session()
    logger.info("%s signed in as '%s'", person.name or "somebody", person.owner)
    return RedirectResponse(wanted, status_code=303, headers=_NO_STORE)


async def _read_form(request: Request) -> FormData:
    """Return the form; empty if the body is not one, or is too large."""
    length = request.headers.get("content-length", "")
    kind = request.headers.get("content-type", "").partition(";")[0]
    is_fit = length.isdecimal() and int(length) <= MAX_FORM_BYTES
    return await request.form() if is_fit and kind.endswith("urlencoded") else FormData()


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
