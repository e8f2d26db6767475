"""Who may change something from a browser.

A web page can send a form to any address without asking (multipart needs no CORS preflight), also
to an API on localhost. Browsers name the page in `Origin`; programs do not send it.
"""

from fastapi import Request

from api.problems import forbidden_origin

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def refuse_foreign_origins(request: Request) -> None:
    """Refuse what a page of another origin sends, unless CORS_ORIGINS lists that origin."""
    origin = request.headers.get("origin")
    if origin is None or request.method in SAFE_METHODS:
        return
    allowed = request.app.state.services.settings.cors_origins
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if origin != own and origin not in allowed and "*" not in allowed:
        raise forbidden_origin(origin)
