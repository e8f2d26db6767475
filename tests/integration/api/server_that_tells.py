"""A server process of the API that tells which libraries it has loaded.

Usage: python -m tests.integration.api.server_that_tells DATA_DIR PORT
"""

import sys
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse

from api.main import create_app
from config import Settings

FOREIGN = ("av", "soundfile", "mutagen", "tinytag", "torch", "demucs")


async def loaded(_: Request) -> JSONResponse:
    return JSONResponse([name for name in FOREIGN if name in sys.modules])


def main(data_dir: Path, port: int) -> None:
    app = create_app(Settings(_env_file=None, data_dir=data_dir, separator_model="spleeter"))
    app.router.add_route("/loaded", loaded)  # no operation of the API: it has no scope
    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
