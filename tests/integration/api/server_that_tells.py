"""A server process of the API that tells which libraries it has loaded.

Usage: python -m tests.integration.api.server_that_tells DATA_DIR PORT
"""

import sys
from pathlib import Path

import uvicorn

from api.main import create_app
from config import Settings

FOREIGN = ("av", "soundfile", "mutagen", "tinytag", "torch", "demucs")


def loaded() -> list[str]:
    return [name for name in FOREIGN if name in sys.modules]


def main(data_dir: Path, port: int) -> None:
    app = create_app(Settings(_env_file=None, data_dir=data_dir, separator_model="spleeter"))
    app.add_api_route("/loaded", loaded)
    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
