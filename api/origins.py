"""Origin check for requests that change something.

A web page can send a form to any address (multipart needs no CORS preflight), including
an API on localhost. Browsers send the page's `Origin`, and where they leave it out still
`Sec-Fetch-Site`; programs send neither.
"""

from fastapi import Request

from api.problems import forbidden_origin, forbidden_site

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def refuse_foreign_origins(request: Request) -> None:
    """Refuse requests of pages from other origins, unless CORS_ORIGINS lists them."""
    origin = request.headers.get("origin")
    if request.method in SAFE_METHODS:
        return
    if origin is None:
        if request.headers.get("sec-fetch-site") == "cross-site":
            raise forbidden_site()
        return
    allowed = request.app.state.services.settings.cors_origins
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if origin != own and origin not in allowed and "*" not in allowed:
        raise forbidden_origin(origin)
