"""What the sign-in puts around the pages and the API, as the settings say."""

import secrets
from hashlib import sha256

from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from ui.server.sign_in.gate import Gate
from ui.server.sign_in.routes import SignInRoutes
from ui.settings import SESSION_COOKIE, WorkbenchSettings


def sign_in_middleware(settings: WorkbenchSettings) -> list[Middleware]:
    """Return the middleware that lets in whom the settings admit."""
    if settings.sign_in not in ("password", "oidc"):
        return [Middleware(Gate, settings=settings, sign_in=None)]
    router = SignInRoutes(settings).router()
    return [_sessions(settings), Middleware(Gate, settings=settings, sign_in=router)]


def _sessions(settings: WorkbenchSettings) -> Middleware:
    """Return what reads and signs cookies; another password ends every session."""
    secret = settings.sign_in_secret.get_secret_value() or secrets.token_hex(32)
    password = settings.sign_in_password.get_secret_value()
    return Middleware(
        SessionMiddleware,
        secret_key=sha256(f"{secret}\0{password}".encode()).hexdigest(),
        session_cookie=SESSION_COOKIE,
        max_age=int(settings.sign_in_hours * 3600),
        https_only=settings.workbench_url.startswith("https:"),
    )
