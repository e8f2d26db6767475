"""The pages that show the OpenAPI document: `/docs` (Swagger UI) and `/redoc` (ReDoc).

Their scripts come from an installed package, so the pages work without a network, and no other
server can put code into the origin of an API without keys.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # Both set the styles of elements from their scripts.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src blob:",  # ReDoc's search
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stemcrate API</title>
<link rel="icon" href="data:,">
{style}
</head>
<body>
<div id="page"></div>
<script src="docs/{bundle}"></script>
<script src="docs/{start}"></script>
</body>
</html>
"""
BUNDLED = ("swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js")
STARTS = {
    # Without a null, Swagger UI sends the document's address to validator.swagger.io.
    "swagger-start.js": "SwaggerUIBundle({url: 'openapi.json', dom_id: '#page', "
    "validatorUrl: null, deepLinking: true});",
    "redoc-start.js": "Redoc.init('openapi.json', {}, document.getElementById('page'));",
}
_CACHED = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def get_swagger_ui() -> Response:
    """Return the page to try requests on."""
    style = '<link rel="stylesheet" href="docs/swagger-ui.css">'
    return _page(style, "swagger-ui-bundle.js", "swagger-start.js")


@router.get("/redoc")
def get_redoc() -> Response:
    """Return the page to read."""
    return _page("", "redoc.standalone.js", "redoc-start.js")


@router.get("/docs/{name}")
def get_documentation_asset(name: str) -> Response:
    """Return a script or style of these pages."""
    if name in STARTS:
        return Response(STARTS[name], media_type="text/javascript", headers=_CACHED)
    if name in BUNDLED:
        return FileResponse(_bundle_folder() / name, headers=_CACHED)
    raise HTTPException(404)


def _page(style: str, bundle: str, start: str) -> Response:
    content = PAGE.format(style=style, bundle=bundle, start=start)
    return HTMLResponse(content, headers={"Content-Security-Policy": POLICY})


def _bundle_folder() -> Path:
    """Return the folder of the package's files, without running its code."""
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package fastapi-offline is not installed")
    return Path(spec.origin).with_name("static")
