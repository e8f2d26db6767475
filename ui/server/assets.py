"""Serves the files of the components; see `ui.assets`."""

from pathlib import PurePath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from ui.assets import MEDIA_TYPES, PREFIX, asset_files, assets_version

KEPT = "public, max-age=31536000, immutable"
CHECKED = "no-cache"


async def get_asset(request: Request) -> Response:
    """Return a file; one of another version, for a page that was open before, is not kept."""
    name = request.path_params["name"]
    path = asset_files().get(name)
    if path is None:
        raise HTTPException(404)
    is_current = request.path_params["version"] == assets_version()
    headers = {
        "Cache-Control": KEPT if is_current else CHECKED,
        "X-Content-Type-Options": "nosniff",
    }
    return FileResponse(path, media_type=MEDIA_TYPES[PurePath(name).suffix], headers=headers)


ROUTES = [Route(f"{PREFIX}/{{version}}/{{name:path}}", get_asset)]
