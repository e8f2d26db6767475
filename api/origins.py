"""Origin check for requests that change something.

A web page can send a form to any address (multipart needs no CORS preflight), including
an API on localhost. Browsers send the page's `Origin`; programs do not.
"""

from fastapi import Request

from api.problems import forbidden_origin

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def refuse_foreign_origins(request: Request) -> None:
    """Refuse requests of pages from other origins, unless CORS_ORIGINS lists them."""
    origin = request.headers.get("origin")
    if origin is None or request.method in SAFE_METHODS:
        return
    allowed = request.app.state.services.settings.cors_origins
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if origin != own and origin not in allowed and "*" not in allowed:
        raise forbidden_origin(origin)
